package pushbridge.app;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells systemd how the bridge is, when that has started it: ready, stopping, and, as long as it is live, that it need not
 * be restarted. Java 17 has no datagram sockets with a path, so systemd's own {@code systemd-notify} says it; the unit
 * needs {@code NotifyAccess=all} for that. Thread-safe.
 */
final class ServiceManager implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ServiceManager.class);

    /** It has one datagram to send; when the machine is in such a state that this takes longer, it matters no more. */
    private static final long HELPER_SECONDS = 5;

    /** Of the time that systemd gives between two signs of life, so that one may be late. */
    private static final int SIGNS_A_PERIOD = 3;

    private final String socket;
    private final boolean present;
    private final long watchdogMicros;
    private final BooleanSupplier live;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread made = new Thread(task, "pushbridge-systemd");
        made.setDaemon(true);
        return made;
    });

    /** Its thread only. */
    private boolean complained;

    /**
     * Says nothing yet.
     *
     * @param environment {@code NOTIFY_SOCKET}, {@code WATCHDOG_USEC} and {@code WATCHDOG_PID} as systemd sets them; without
     *     the first nothing is ever said
     * @param live whether the process does not have to be restarted: the loop's heartbeat, asked before each sign of life
     */
    ServiceManager(Map<String, String> environment, BooleanSupplier live) {
        this.socket = environment.getOrDefault("NOTIFY_SOCKET", "");
        this.present = !socket.isEmpty();
        this.live = live;
        String pid = environment.get("WATCHDOG_PID");
        boolean ours =
                pid == null || pid.equals(Long.toString(ProcessHandle.current().pid()));
        this.watchdogMicros = present && ours ? number(environment.get("WATCHDOG_USEC")) : 0;
    }

    private static long number(@Nullable String text) {
        return text != null && text.matches("[0-9]{1,15}") ? Long.parseLong(text) : 0;
    }

    /** Whether systemd waits for signs of life of this process. */
    boolean watches() {
        return watchdogMicros > 0;
    }

    /** The listeners are open. */
    void ready() {
        say("READY=1", "STATUS=Listening");
        if (watchdogMicros > 0) {
            long period = Math.max(1, watchdogMicros / SIGNS_A_PERIOD);
            var unused = thread.scheduleAtFixedRate(this::signOfLife, period, period, TimeUnit.MICROSECONDS);
        }
    }

    private void signOfLife() {
        if (live.getAsBoolean()) {
            notifyNow(List.of("WATCHDOG=1"));
            complained = false;
        } else if (!complained) {
            complained = true;
            log.error(
                    "The delivery loop does not move; systemd gets no more signs of life and will restart the bridge");
        }
    }

    /** The bridge leaves; waits until systemd has been told. */
    void stopping() {
        say("STOPPING=1", "STATUS=Stopping");
    }

    private void say(String... states) {
        if (present) {
            var unused = thread.submit(() -> notifyNow(List.of(states)));
        }
    }

    private void notifyNow(List<String> states) {
        try {
            List<String> command = new ArrayList<>(List.of("systemd-notify"));
            command.addAll(states);
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().put("NOTIFY_SOCKET", socket);
            Process helper = builder.start();
            helper.getOutputStream().close();
            if (!helper.waitFor(HELPER_SECONDS, TimeUnit.SECONDS)) {
                helper.destroyForcibly();
                log.warn("systemd-notify did not say {} within {} s", states, HELPER_SECONDS);
            } else if (helper.exitValue() != 0) {
                String said = new String(helper.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                log.warn("systemd-notify failed to say {}: {}", states, said.strip());
            }
        } catch (IOException e) {
            log.warn("NOTIFY_SOCKET is set, but systemd cannot be told {}: {}", states, e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
