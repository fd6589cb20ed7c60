package pushbridge.socket;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;

/** A client over TLS of which, once its WebSocket is open, nothing but the TCP connection is kept. */
final class TlsClient implements AutoCloseable {

    private final SocketChannel channel;

    private TlsClient(SocketChannel channel) {
        this.channel = channel;
    }

    static TlsClient open(SSLContext context, int port, String pathAndQuery) throws IOException {
        SocketChannel channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        SSLEngine engine = context.createSSLEngine("localhost", port);
        engine.setUseClientMode(true);
        TlsClient client = new TlsClient(channel);
        client.upgrade(engine, pathAndQuery);
        return client;
    }

    private void upgrade(SSLEngine engine, String pathAndQuery) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(64 * 1024).flip();
        ByteBuffer plain = ByteBuffer.allocate(32 * 1024);
        ByteBuffer out = ByteBuffer.allocate(32 * 1024);
        ByteBuffer request = ByteBuffer.wrap(
                """
                GET %s HTTP/1.1
                Host: localhost
                Upgrade: websocket
                Connection: Upgrade
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
                Sec-WebSocket-Version: 13

                """.formatted(pathAndQuery).replace("\n", "\r\n").getBytes(UTF_8));
        engine.beginHandshake();
        while (plain.position() == 0) {
            HandshakeStatus status = engine.getHandshakeStatus();
            if (status == HandshakeStatus.NEED_TASK) {
                engine.getDelegatedTask().run();
            } else if (status == HandshakeStatus.NEED_WRAP
                    || (status == HandshakeStatus.NOT_HANDSHAKING && request.hasRemaining())) {
                engine.wrap(request, out.clear());
                out.flip();
                while (out.hasRemaining()) {
                    channel.write(out);
                }
            } else {
                int before = in.remaining();
                engine.unwrap(in, plain);
                if (in.remaining() == before) {
                    in.compact();
                    if (channel.read(in) < 0) {
                        throw new IOException("the server ended the connection");
                    }
                    in.flip();
                }
            }
        }
        if (!new String(plain.array(), 0, plain.position(), UTF_8).startsWith("HTTP/1.1 101")) {
            throw new IOException("refused");
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
