package pushbridge.amqp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import pushbridge.letters.Entry;

/**
 * Letters in full, in a file that nobody else can read and that is gone when it is closed or the process ends, however
 * that happens: what lies in a queue may be larger than the heap. Thread-safe for one writer.
 */
final class Spool implements AutoCloseable {

    private final FileChannel file;
    private volatile long size;

    private Spool(FileChannel file) {
        this.file = file;
    }

    static Spool open() throws IOException {
        Path path = Files.createTempFile("pushbridge-letters", null); // of our user alone
        return new Spool(FileChannel.open(
                path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE));
    }

    long size() {
        return size;
    }

    /** Appends a letter that has this tag. */
    Entry.Place add(long tag, AmqpOriginal letter) throws IOException {
        byte[] properties = letter.serialized();
        byte[] body = letter.body();
        int length = Math.addExact(Integer.BYTES + properties.length, body.length);
        long position = size;
        ByteBuffer head = ByteBuffer.allocate(Integer.BYTES + properties.length);
        head.putInt(properties.length).put(properties).flip();
        write(head, position);
        write(ByteBuffer.wrap(body), position + Integer.BYTES + properties.length);
        size = position + length;
        return new Entry.Place(tag, position, length);
    }

    private void write(ByteBuffer bytes, long position) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += file.write(bytes, at);
        }
    }

    AmqpOriginal read(Entry.Place place) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(place.length());
        while (bytes.hasRemaining()) {
            if (file.read(bytes, place.position() + bytes.position()) < 0) {
                throw new IOException("the file of letters is shorter than it was");
            }
        }
        bytes.flip();
        byte[] properties = new byte[bytes.getInt()];
        bytes.get(properties);
        byte[] body = new byte[bytes.remaining()];
        bytes.get(body);
        return AmqpOriginal.restore(properties, body);
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("a file without a name cannot be closed", e);
        }
    }
}
