package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What systemd hears, at a real datagram socket, said by its own systemd-notify. */
final class ServiceManagerTest {

    @TempDir
    Path folder;

    @Test
    void systemdHearsReadySignsOfLifeAndStoppingAndNothingOfADeadLoop() throws Exception {
        assumeTrue(isThere("systemd-notify"), "no systemd-notify on the PATH");
        assumeTrue(isThere("perl"), "no perl on the PATH to listen with");
        Path socket = folder.resolve("notify");
        Path heard = folder.resolve("heard");
        // Takes what is sent as systemd does: a descriptor that comes with it is closed, which the sender waits for.
        String listen = """
                use IO::Socket::UNIX; use Socket; $| = 1;
                my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die;
                while (defined $s->recv(my $d, 4096)) { print "$d\\n"; }""";
        Process listener = new ProcessBuilder("perl", "-e", listen, socket.toString())
                .redirectOutput(heard.toFile())
                .start();
        try {
            Awaitility.await("the socket").until(() -> Files.exists(socket));
            AtomicBoolean live = new AtomicBoolean(true);
            AtomicInteger asked = new AtomicInteger();
            Map<String, String> environment = Map.of("NOTIFY_SOCKET", socket.toString(), "WATCHDOG_USEC", "300000");
            try (ServiceManager manager = new ServiceManager(environment, () -> {
                asked.incrementAndGet();
                return live.get();
            })) {
                manager.ready();
                Awaitility.await("signs of life").until(() -> count(heard, "WATCHDOG=1") >= 2);
                assertThat(Files.readString(heard)).startsWith("READY=1\n").contains("STATUS=Listening");

                live.set(false);
                int before = asked.get();
                Awaitility.await("it to be asked").until(() -> asked.get() >= before + 2);
                int signs = count(heard, "WATCHDOG=1");
                Awaitility.await("it to be asked again").until(() -> asked.get() >= before + 5);
                assertThat(count(heard, "WATCHDOG=1")).isEqualTo(signs);

                manager.stopping();
                Awaitility.await("the end").until(() -> count(heard, "STOPPING=1") == 1);
            }
        } finally {
            listener.destroy();
        }
    }

    @Test
    void withoutSystemdNothingIsSaid() {
        AtomicInteger asked = new AtomicInteger();
        try (ServiceManager manager =
                new ServiceManager(Map.of("WATCHDOG_USEC", "1"), () -> asked.incrementAndGet() > 0)) {
            manager.ready();
            manager.stopping();
        }
        assertThat(asked).hasValue(0);
    }

    @Test
    void aWatchdogForAnotherProcessIsNotOurs() {
        AtomicInteger asked = new AtomicInteger();
        Map<String, String> environment = Map.of(
                "NOTIFY_SOCKET", folder.resolve("none").toString(), "WATCHDOG_USEC", "1000", "WATCHDOG_PID", "1");
        try (ServiceManager manager = new ServiceManager(environment, () -> asked.incrementAndGet() > 0)) {
            manager.ready();
            assertThat(manager.watches()).isFalse();
        }
    }

    private static int count(Path file, String text) throws Exception {
        return Files.readString(file).split(text, -1).length - 1;
    }

    private static boolean isThere(String program) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(place -> Files.isExecutable(Path.of(place, program)));
    }
}
