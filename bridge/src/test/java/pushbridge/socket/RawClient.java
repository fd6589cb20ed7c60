package pushbridge.socket;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * A WebSocket client made by hand of bytes, so that it can do what a decent one cannot: break the protocol, stop
 * reading, leave pings unanswered. Every read is bounded by a timeout.
 */
final class RawClient implements Closeable {

    /** One frame from the server. */
    record Received(int opcode, boolean compressed, byte[] payload) {

        String text() {
            return new String(payload, StandardCharsets.UTF_8);
        }

        /** The code of a close frame. */
        int closeCode() {
            return ByteBuffer.wrap(payload).getShort() & 0xFFFF;
        }

        /** The reason text of a close frame. */
        String closeReason() {
            return new String(payload, 2, payload.length - 2, StandardCharsets.UTF_8);
        }
    }

    /** The answer to a handshake. */
    record Response(int status, Map<String, String> headers, String body) {}

    private final Socket socket;
    private final DataInputStream in;

    private RawClient(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new DataInputStream(socket.getInputStream());
    }

    /** A TCP connection that has sent nothing. */
    static RawClient connect(int port) throws IOException {
        return connect(port, 0);
    }

    /** A TCP connection whose kernel takes little when nobody reads. */
    static RawClient connect(int port, int receiveBuffer) throws IOException {
        Socket socket = new Socket();
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.setTcpNoDelay(true);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 10_000);
        socket.setSoTimeout(10_000);
        return new RawClient(socket);
    }

    /** Over a connection made elsewhere, such as one with TLS. */
    static RawClient over(Socket socket) throws IOException {
        return new RawClient(socket);
    }

    /** An open WebSocket. */
    static RawClient open(int port, String pathAndQuery, String... headers) throws IOException {
        return connect(port).upgrade(pathAndQuery, headers);
    }

    RawClient upgrade(String pathAndQuery, String... headers) throws IOException {
        Response response = handshake(pathAndQuery, headers);
        if (response.status() != 101) {
            throw new IOException("expected 101, got " + response);
        }
        return this;
    }

    /** Sends a handshake and reads the answer; with a body when it is a refusal. */
    Response handshake(String pathAndQuery, String... headers) throws IOException {
        StringBuilder request = new StringBuilder("GET " + pathAndQuery + " HTTP/1.1\r\n"
                + "Upgrade: websocket\r\n"
                + "Connection: keep-alive, Upgrade\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                + "Sec-WebSocket-Version: 13\r\n");
        boolean host = false;
        for (String header : headers) {
            host |= header.toLowerCase(Locale.ROOT).startsWith("host:");
            request.append(header).append("\r\n");
        }
        if (!host) {
            request.append("Host: localhost:").append(socket.getPort()).append("\r\n");
        }
        send(request.append("\r\n").toString().getBytes(StandardCharsets.UTF_8));
        return response();
    }

    /** Reads an HTTP response. */
    Response response() throws IOException {
        String[] lines = head().split("\r\n", -1);
        int status = Integer.parseInt(lines[0].split(" ", -1)[1]);
        Map<String, String> headers = new LinkedHashMap<>();
        for (int i = 1; i < lines.length && !lines[i].isEmpty(); i++) {
            int colon = lines[i].indexOf(':');
            headers.put(
                    lines[i].substring(0, colon).toLowerCase(Locale.ROOT),
                    lines[i].substring(colon + 1).trim());
        }
        byte[] body = new byte[Integer.parseInt(headers.getOrDefault("content-length", "0"))];
        in.readFully(body);
        return new Response(status, headers, new String(body, StandardCharsets.UTF_8));
    }

    private String head() throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        while (!head.toString(StandardCharsets.UTF_8).endsWith("\r\n\r\n")) {
            head.write(in.readUnsignedByte());
        }
        return head.toString(StandardCharsets.UTF_8);
    }

    void send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    void sendText(String text) throws IOException {
        send(frame(0x81, text.getBytes(StandardCharsets.UTF_8)));
    }

    void sendPong(byte[] payload) throws IOException {
        send(frame(0x8A, payload));
    }

    /** A masked frame. */
    static byte[] frame(int firstByte, byte[] payload) {
        ByteBuffer frame = ByteBuffer.allocate(14 + payload.length).put((byte) firstByte);
        if (payload.length < 126) {
            frame.put((byte) (0x80 | payload.length));
        } else if (payload.length < 65_536) {
            frame.put((byte) (0x80 | 126)).putShort((short) payload.length);
        } else {
            frame.put((byte) (0x80 | 127)).putLong(payload.length);
        }
        byte[] mask = {7, 31, 5, 99};
        frame.put(mask);
        for (int i = 0; i < payload.length; i++) {
            frame.put((byte) (payload[i] ^ mask[i % 4]));
        }
        byte[] bytes = new byte[frame.position()];
        frame.flip().get(bytes);
        return bytes;
    }

    /** The next frame. */
    Received receive() throws IOException {
        int first = in.readUnsignedByte();
        long length = in.readUnsignedByte();
        if (length == 126) {
            length = in.readUnsignedShort();
        } else if (length == 127) {
            length = in.readLong();
        }
        byte[] payload = new byte[(int) length];
        in.readFully(payload);
        return new Received(first & 0x0F, (first & 0x40) != 0, payload);
    }

    /** The next text frame; anything else fails. */
    String receiveText() throws IOException {
        Received frame = receive();
        if (frame.opcode() != 1) {
            throw new IOException("expected a text frame, got " + frame.opcode());
        }
        return frame.text();
    }

    /** Reads on until the server has ended the TCP connection; how many bytes came until then. */
    long readToEnd() throws IOException {
        long bytes = 0;
        byte[] some = new byte[65_536];
        try {
            for (int read = in.read(some); read >= 0; read = in.read(some)) {
                bytes += read;
            }
        } catch (EOFException | SocketException e) {
            return bytes; // a reset is an end as well
        }
        return bytes;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
