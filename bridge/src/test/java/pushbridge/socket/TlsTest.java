package pushbridge.socket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pushbridge.config.ProxyConfig.Header;
import pushbridge.config.TlsConfig;
import pushbridge.delivery.CloseCode;
import pushbridge.outbox.Frame;
import pushbridge.socket.RecordingSessions.Opened;
import pushbridge.testing.Certificates;
import pushbridge.testing.Certificates.Issued;
import pushbridge.tls.ServerTls;
import pushbridge.tls.TlsException;

/** The public listener with TLS, and clients that verify it. */
class TlsTest {

    @TempDir
    static Path folder;

    private static Certificates authority;
    private static Issued server;
    private static Issued renewed;

    private final TestListener listener = new TestListener();
    private final List<AutoCloseable> closeables = new ArrayList<>();

    @BeforeAll
    static void makeCertificates() throws Exception {
        authority = new Certificates(folder, "authority");
        server = authority.issue("server", "EC", true);
        renewed = authority.issue("renewed", "RSA", true);
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable closeable : closeables) {
            closeable.close();
        }
        listener.close();
    }

    private ServerTls withTls(TlsConfig config) throws TlsException {
        listener.tls = config;
        ServerTls tls = new ServerTls(config, null);
        listener.serverTls = tls;
        return tls;
    }

    private static TlsConfig pem(Issued issued) {
        return new TlsConfig(issued.certificate(), issued.key(), null, null);
    }

    @Test
    void theJdkClientReceivesOverWssInOrderAndIsConfirmed() throws Exception {
        withTls(pem(server));
        BlockingQueue<String> received = new LinkedBlockingQueue<>();
        WebSocket client = jdkClient(received);
        TestListener.await(() -> listener.sessions.opened.size() == 1);
        Opened session = listener.sessions.opened.get(0);
        String large = "x".repeat(20_000); // more than a record
        for (int i = 1; i <= 200; i++) {
            Frame frame = Frame.envelope((i + (i % 50 == 0 ? large : "")).getBytes(UTF_8), true);
            while (!session.sink.offer(frame)) {
                session.sink.flush();
                Thread.onSpinWait();
            }
            if (i % 7 == 0) {
                session.sink.flush();
            }
        }
        session.sink.flush();
        for (int i = 1; i <= 200; i++) {
            assertThat(received.poll(10, TimeUnit.SECONDS)).isEqualTo(i + (i % 50 == 0 ? large : ""));
        }
        TestListener.await(() -> session.lastConfirmed() == 200);

        client.sendText("{\"type\":\"ping\",\"seq\":7}", true).get(10, TimeUnit.SECONDS);
        assertThat(received.poll(10, TimeUnit.SECONDS)).contains("pong").contains("7");
        client.sendClose(WebSocket.NORMAL_CLOSURE, "done").get(10, TimeUnit.SECONDS);
        TestListener.await(() -> client.isInputClosed() && listener.server().connections() == 0);
        assertThat(listener.server().ended()).containsEntry("client", 1L);
        assertThat(listener.server().pendingBytes()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.3, true", "TLSv1.2, true", "TLSv1.1, false"})
    void onlyVersionsThatAreStillSafeAreSpoken(String version, boolean spoken) throws Exception {
        withTls(pem(server));
        SSLSocket socket = socket(version);
        if (spoken) {
            RawClient client = RawClient.over(socket).upgrade("/ws?user=1");
            client.sendText("{\"type\":\"ping\"}");
            assertThat(client.receiveText()).contains("pong");
            assertThat(socket.getSession().getProtocol()).isEqualTo(version);
        } else {
            assertThatThrownBy(socket::startHandshake).isInstanceOf(SSLException.class);
        }
    }

    @Test
    void aPkcs12FileDoesAsWell() throws Exception {
        withTls(new TlsConfig(null, null, server.pkcs12(), Certificates.PASSWORD));
        RawClient client = RawClient.over(socket("TLSv1.3")).upgrade("/ws?user=1");
        client.sendText("{\"type\":\"ping\"}");
        assertThat(client.receiveText()).contains("pong");
    }

    @Test
    void aCloseFrameAndTheEndOfTlsReachTheClient() throws Exception {
        withTls(pem(server));
        RawClient client = RawClient.over(socket("TLSv1.3")).upgrade("/ws?user=1");
        TestListener.await(() -> listener.sessions.opened.size() == 1);
        listener.sessions.opened.get(0).sink.close(CloseCode.KICKED);
        assertThat(client.receive().closeCode()).isEqualTo(4003);
        assertThat(client.readToEnd()).isZero(); // a cut without close_notify would be an exception
    }

    @Test
    void aRefusalIsReadableOverTlsToo() throws Exception {
        withTls(pem(server));
        listener.gate = handshake -> new HandshakeGate.Refused(403, "No.");
        assertThat(RawClient.over(socket("TLSv1.3")).handshake("/ws").status()).isEqualTo(403);
    }

    @Test
    void aNewCertificateIsShownWithoutARestart() throws Exception {
        Path certificate = copy(server.certificate(), "live.pem");
        Path key = copy(server.key(), "live.key");
        ServerTls tls = withTls(new TlsConfig(certificate, key, null, null));
        SSLSocket before = socket("TLSv1.3");
        RawClient open = RawClient.over(before).upgrade("/ws?user=1");
        assertThat(shownTo(before)).isEqualTo("CN=server");

        Files.copy(renewed.certificate(), certificate, StandardCopyOption.REPLACE_EXISTING);
        tls.reload(); // its key is not there yet: what was shown stays
        assertThat(shownTo(socket("TLSv1.3"))).isEqualTo("CN=server");
        Files.copy(renewed.key(), key, StandardCopyOption.REPLACE_EXISTING);
        tls.reload();
        assertThat(shownTo(socket("TLSv1.3"))).isEqualTo("CN=renewed");
        assertThat(shownTo(socket("TLSv1.2"))).isEqualTo("CN=renewed");

        Files.writeString(certificate, "nonsense");
        tls.reload();
        Files.delete(key);
        tls.reload();
        assertThat(shownTo(socket("TLSv1.3"))).isEqualTo("CN=renewed");
        open.sendText("{\"type\":\"ping\"}");
        assertThat(open.receiveText()).contains("pong");
    }

    /** While new clients come all the time, the certificate changes to and fro; nobody is turned away or cut off by that. */
    @Test
    void aCertificateIsReplacedUnderLoad() throws Exception {
        Path certificate = copy(server.certificate(), "load.pem");
        Path key = copy(server.key(), "load.key");
        ServerTls tls = withTls(new TlsConfig(certificate, key, null, null));
        List<RawClient> before = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            before.add(RawClient.over(socket("TLSv1.3")).upgrade("/ws?user=" + i));
        }
        Set<String> seen = ConcurrentHashMap.newKeySet();
        AtomicInteger served = new AtomicInteger();
        AtomicBoolean enough = new AtomicBoolean();
        ExecutorService threads = Executors.newFixedThreadPool(4);
        List<Future<?>> comers = new ArrayList<>();
        for (String version : List.of("TLSv1.3", "TLSv1.2", "TLSv1.3", "TLSv1.2")) {
            comers.add(threads.submit(() -> {
                while (!enough.get()) {
                    // A context of its own resumes no session, which would show the certificate of the first time.
                    try (SSLSocket socket = (SSLSocket) authority
                            .client(null)
                            .getSocketFactory()
                            .createSocket(InetAddress.getLoopbackAddress(), listener.port())) {
                        socket.setSoTimeout(10_000);
                        socket.setEnabledProtocols(new String[] {version});
                        socket.startHandshake();
                        seen.add(shownTo(socket));
                        assertThat(RawClient.over(socket)
                                        .handshake("/ws?user=x")
                                        .status())
                                .isEqualTo(101);
                    }
                    served.incrementAndGet();
                }
                return null;
            }));
        }
        for (int round = 0; round < 10; round++) {
            Issued next = round % 2 == 0 ? renewed : server;
            Files.copy(next.certificate(), certificate, StandardCopyOption.REPLACE_EXISTING);
            Files.copy(next.key(), key, StandardCopyOption.REPLACE_EXISTING);
            tls.reload();
            assertThat(shownTo(socket("TLSv1.3"))).isEqualTo(round % 2 == 0 ? "CN=renewed" : "CN=server");
            int until = served.get() + 8;
            TestListener.await(() -> served.get() >= until || comers.stream().anyMatch(Future::isDone));
        }
        enough.set(true);
        for (Future<?> comer : comers) {
            comer.get(20, TimeUnit.SECONDS);
        }
        threads.shutdown();
        assertThat(seen).containsExactlyInAnyOrder("CN=server", "CN=renewed");
        for (RawClient open : before) {
            open.sendText("{\"type\":\"ping\"}");
            assertThat(open.receiveText()).contains("pong");
        }
    }

    @Test
    void whatSpeaksNoTlsIsEndedQuietly() throws Exception {
        withTls(pem(server));
        RawClient client = RawClient.connect(listener.port());
        closeables.add(client);
        client.send("GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(UTF_8));
        assertThat(client.readToEnd()).isLessThan(20); // an alert at most
        TestListener.await(() -> listener.server().arrivals() == 0);
    }

    @Test
    void theProxyProtocolStandsInFrontOfTls() throws Exception {
        withTls(pem(server));
        listener.proxies = TestListener.localProxies(Header.X_FORWARDED_FOR, true);
        List<String> addresses = new ArrayList<>();
        listener.gate = handshake -> {
            addresses.add(handshake.remoteAddress());
            return new HandshakeGate.Admitted(null, List.of());
        };
        java.net.Socket tcp = new java.net.Socket(InetAddress.getLoopbackAddress(), listener.port());
        tcp.getOutputStream().write("PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n".getBytes(UTF_8));
        SSLSocket socket = (SSLSocket)
                authority.client(null).getSocketFactory().createSocket(tcp, "localhost", listener.port(), true);
        closeables.add(socket);
        RawClient.over(socket).upgrade("/ws?user=1");
        assertThat(addresses).containsExactly("203.0.113.7");
    }

    @Test
    void handshakesThatStopHalfWayCostLittleAndEndInTime() throws Exception {
        withTls(pem(server));
        jdkClient(new LinkedBlockingQueue<>());
        byte[] hello = {0x16, 3, 1, 2, 0, 1, 0, 1, (byte) 0xFC, 3, 3}; // the beginning of a record of 512 bytes
        long before = heap();
        for (int i = 0; i < 500; i++) {
            RawClient client = RawClient.connect(listener.port());
            closeables.add(client);
            client.send(hello);
        }
        TestListener.await(() -> listener.server().arrivals() == 500);
        assertThat((heap() - before) / 500).isLessThan(48 * 1024);
        listener.clock.advance(java.time.Duration.ofSeconds(11));
        listener.server().sweep();
        TestListener.await(() -> listener.server().arrivals() == 0);
    }

    /** Both ends are in this process; of the client only its channel is kept. */
    @Test
    void anIdleConnectionKeepsNoBuffers() throws Exception {
        withTls(pem(server));
        long before = heap();
        for (int i = 0; i < 400; i++) {
            TlsClient client = TlsClient.open(authority.client(null), listener.port(), "/ws?user=" + i);
            closeables.add(client);
        }
        TestListener.await(() -> listener.server().connections() == 400);
        long each = (heap() - before) / 400;
        assertThat(each).as("bytes of heap for each connection").isLessThan(16 * 1024);
        System.getLogger(TlsTest.class.getName()).log(System.Logger.Level.INFO, "{0} bytes each", each);
    }

    private WebSocket jdkClient(BlockingQueue<String> received) throws Exception {
        return HttpClient.newBuilder()
                .sslContext(authority.client(null))
                .build()
                .newWebSocketBuilder()
                .buildAsync(URI.create("wss://localhost:" + listener.port() + "/ws?user=1"), new WebSocket.Listener() {
                    private final StringBuilder text = new StringBuilder();

                    @Override
                    public @Nullable CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
                        text.append(data);
                        if (last) {
                            received.add(text.toString());
                            text.setLength(0);
                        }
                        webSocket.request(1);
                        return null;
                    }
                })
                .get(10, TimeUnit.SECONDS);
    }

    private SSLSocket socket(String version) throws Exception {
        SSLSocket socket = (SSLSocket) authority
                .client(null)
                .getSocketFactory()
                .createSocket(InetAddress.getLoopbackAddress(), listener.port());
        closeables.add(socket);
        socket.setSoTimeout(10_000);
        socket.setEnabledProtocols(new String[] {version});
        return socket;
    }

    private static String shownTo(SSLSocket socket) throws Exception {
        X509Certificate shown = (X509Certificate) socket.getSession().getPeerCertificates()[0];
        return shown.getSubjectX500Principal().getName();
    }

    private static Path copy(Path from, String name) throws Exception {
        return Files.copy(from, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }

    private static long heap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
