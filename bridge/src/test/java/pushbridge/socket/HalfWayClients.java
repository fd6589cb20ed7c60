package pushbridge.socket;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Attackers in a process of their own, so that neither their files nor their heap are the server's: each begins a handshake
 * and says nothing more.
 */
final class HalfWayClients implements AutoCloseable {

    private final Process process;

    private HalfWayClients(Process process) {
        this.process = process;
    }

    /** Returns when all of them have written. */
    static HalfWayClients start(int port, int count) throws IOException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        HalfWayClients.class.getName(),
                        Integer.toString(port),
                        Integer.toString(count))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        HalfWayClients clients = new HalfWayClients(process);
        if (process.getInputStream().read() != '!') {
            clients.close();
            throw new IOException("the attackers did not all connect");
        }
        return clients;
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    /** Port and number. Ends with its standard input. */
    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(arguments[0]);
        int count = Integer.parseInt(arguments[1]);
        // Where the whole of 127/8 is this machine they come from several addresses.
        int addresses = System.getProperty("os.name").equals("Linux") ? 20 : 1;
        List<SocketChannel> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            SocketChannel channel = SocketChannel.open();
            byte[] address = {127, 0, 0, (byte) (1 + i % addresses)};
            channel.bind(new InetSocketAddress(InetAddress.getByAddress(address), 0));
            channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            channel.write(ByteBuffer.wrap("GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgr".getBytes(UTF_8)));
            all.add(channel);
        }
        System.out.print('!');
        System.out.flush();
        while (System.in.read() >= 0) {
            // the channels are reachable until then
        }
        for (SocketChannel channel : all) {
            channel.close();
        }
    }
}
