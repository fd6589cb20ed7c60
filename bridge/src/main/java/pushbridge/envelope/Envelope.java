package pushbridge.envelope;

/**
 * A valid envelope.
 *
 * @param to whom it is for
 * @param type the application's message type, 1 to 128 characters
 * @param seq the application's identifier, 0 to 2^53-1; never compared for order
 * @param body the published bytes, with the member {@code to} added when it was absent; shared, never modified
 */
public record Envelope(Address to, String type, long seq, byte[] body) implements Reading {}
