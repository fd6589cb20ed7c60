package pushbridge.bench;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/** Nchan, the push module of nginx, fed over one HTTP connection with requests in a pipeline. There is no broker. */
final class NchanPeer implements Peer {

    /** Where Debian's packages put them. */
    private static final Path NGINX = Path.of("/usr/sbin/nginx");

    private static final Path MODULE = Path.of("/usr/lib/nginx/modules/ngx_nchan_module.so");

    private static final int PIPELINE = 64;
    private static final byte[] ANSWER = "HTTP/1.1 2".getBytes(StandardCharsets.US_ASCII);

    private final Process nginx;
    private final int port;
    private final Socket publisher;
    private final Semaphore pipeline = new Semaphore(PIPELINE);
    private volatile @Nullable String failure;

    NchanPeer(Bench bench) throws BenchException {
        port = BridgeProcess.freePort();
        Path folder = bench.work().resolve("nchan");
        try {
            Files.createDirectories(folder);
            Path config = folder.resolve("nginx.conf");
            Files.writeString(config, config(folder, port));
            nginx = Children.start(new ProcessBuilder(
                            NGINX.toString(), "-p", folder.toString(), "-c", config.toString(), "-e", "error.log")
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("out.log").toFile()));
            Waiting.until("nginx to answer", Duration.ofSeconds(10), this::answers);
            publisher = new Socket(InetAddress.getLoopbackAddress(), port);
            publisher.setTcpNoDelay(true);
        } catch (IOException e) {
            throw new BenchException("cannot start nginx with Nchan", e);
        }
        Thread answers = new Thread(this::countAnswers, "pushbridge-bench-nchan");
        answers.setDaemon(true);
        answers.start();
    }

    static boolean isInstalled() {
        return Files.isExecutable(NGINX) && Files.isReadable(MODULE);
    }

    private boolean answers() {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    /** As many workers as processors, as nginx recommends; the buffer holds a whole burst, or messages would be lost. */
    private static String config(Path folder, int port) {
        return """
                daemon off;
                worker_processes auto;
                worker_rlimit_nofile 40000;
                load_module %s;
                pid %s/nginx.pid;
                error_log %s/error.log;
                events { worker_connections 20000; }
                http {
                  access_log off;
                  client_body_temp_path %s/body;
                  proxy_temp_path %s/proxy;
                  fastcgi_temp_path %s/fastcgi;
                  uwsgi_temp_path %s/uwsgi;
                  scgi_temp_path %s/scgi;
                  keepalive_requests 100000000;
                  nchan_max_reserved_memory 512M;
                  server {
                    listen 127.0.0.1:%d backlog=4096;
                    location = /pub {
                      nchan_publisher http;
                      nchan_channel_id all;
                      nchan_message_buffer_length 10000;
                      nchan_message_timeout 60s;
                    }
                    location = /sub {
                      nchan_subscriber websocket;
                      nchan_channel_id all;
                      nchan_subscriber_first_message newest;
                    }
                  }
                }
                """.formatted(MODULE, folder, folder, folder, folder, folder, folder, folder, port);
    }

    private void countAnswers() {
        try {
            InputStream in = publisher.getInputStream();
            byte[] buffer = new byte[64 * 1024];
            int matched = 0;
            for (int got = in.read(buffer); got > 0; got = in.read(buffer)) {
                for (int i = 0; i < got; i++) {
                    matched = buffer[i] == ANSWER[matched] ? matched + 1 : buffer[i] == ANSWER[0] ? 1 : 0;
                    if (matched == ANSWER.length) {
                        matched = 0;
                        pipeline.release();
                    }
                }
            }
            failure = "Nchan closed the publisher's connection";
        } catch (IOException e) {
            failure = "Nchan's answers cannot be read: " + e.getMessage();
        }
    }

    @Override
    public String name() {
        return "Nchan";
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public Dialect dialect() {
        return Dialect.NCHAN;
    }

    @Override
    public Collection<Long> pids() {
        List<Long> pids = new ArrayList<>(List.of(nginx.pid()));
        nginx.children().forEach(child -> pids.add(child.pid()));
        return pids;
    }

    @Override
    public void send(byte[] envelope) throws BenchException {
        String failed = failure;
        if (failed != null) {
            throw new BenchException(failed);
        }
        byte[] head = ("POST /pub HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
                        + envelope.length + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        byte[] request = new byte[head.length + envelope.length];
        System.arraycopy(head, 0, request, 0, head.length);
        System.arraycopy(envelope, 0, request, head.length, envelope.length);
        try {
            pipeline.acquire();
            publisher.getOutputStream().write(request);
        } catch (IOException e) {
            throw new BenchException("publishing to Nchan failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
    }

    @Override
    public void close() throws BenchException {
        try {
            publisher.close();
        } catch (IOException e) {
            throw new BenchException("cannot close the publisher's connection", e);
        }
        nginx.descendants().forEach(ProcessHandle::destroy);
        nginx.destroy();
        Children.forget(nginx);
    }
}
