package pushbridge.hold;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/**
 * What recognises a redelivered instruction in the held log: the first 64 bits of SHA-256 over address, message id and
 * body, each with its length before it, so that nothing can move from one to the next.
 *
 * <p>A wrong match would settle a message that nobody holds, so it must be out of reach even for somebody who wants one.
 * With the fast hashes of hash tables a second text of the same length and hash is a matter of seconds; here it takes
 * 2⁶⁴ tries, and by accident a redelivered message meets one of 1,000 held for its address with a probability of 10⁻¹⁶.
 * (Two texts made together so that they collide take 2³², and both are their maker's own messages.) It costs a
 * microsecond, once for a message that is held. Properties are not part of it: the broker changes them on redelivery.
 */
public final class ContentHash {

    private ContentHash() {}

    /**
     * The hash of a message. Any thread.
     *
     * @param messageId its AMQP message id, if it has one; none is not the same as an empty one
     */
    public static long of(String address, @Nullable String messageId, byte[] body) {
        MessageDigest sha = sha256();
        update(sha, address.getBytes(StandardCharsets.UTF_8));
        if (messageId == null) {
            sha.update(length(-1));
        } else {
            update(sha, messageId.getBytes(StandardCharsets.UTF_8));
        }
        update(sha, body);
        return ByteBuffer.wrap(sha.digest()).getLong();
    }

    private static void update(MessageDigest sha, byte[] bytes) {
        sha.update(length(bytes.length));
        sha.update(bytes);
    }

    private static byte[] length(int length) {
        return ByteBuffer.allocate(Integer.BYTES).putInt(length).array();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256, this one has not", e);
        }
    }
}
