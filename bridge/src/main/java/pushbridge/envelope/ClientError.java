package pushbridge.envelope;

public enum ClientError {
    TOO_MANY_CHANNELS
}
