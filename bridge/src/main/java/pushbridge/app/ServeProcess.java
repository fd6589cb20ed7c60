package pushbridge.app;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pushbridge.auth.OriginRule;
import pushbridge.cli.ExitCode;
import pushbridge.config.AuthConfig;
import pushbridge.config.BridgeConfig;
import pushbridge.config.EffectiveConfig;
import pushbridge.doctor.FileLimit;
import pushbridge.envelope.SchemaFileException;
import pushbridge.log.LogOutput;
import pushbridge.tls.TlsException;

/** The command {@code serve}: one bridge for as long as the process lives. */
public final class ServeProcess {

    private static final Logger log = LoggerFactory.getLogger(ServeProcess.class);

    /** What stopping may take beyond {@code shutdown.grace}: closing connections to a broker that does not answer. */
    private static final Duration STOP_OVERTIME = Duration.ofSeconds(5);

    private ServeProcess() {}

    /** Runs a bridge until it fails; SIGTERM and Ctrl-C end the process from outside, in order, with exit code 0. */
    public static ExitCode run(EffectiveConfig effective) {
        LogOutput.configure(effective.log());
        BridgeConfig config = effective.values();
        effective.changes().forEach(change -> log.info("{}", change));
        warnAboutDevMode(config);
        warnAboutOpenToken(config);
        FileLimit.ofThisProcess().ifPresent(limit -> {
            String warning = FileLimit.warning(config, limit);
            if (warning != null) {
                log.warn("{}", warning);
            }
        });
        try {
            Bridge bridge = new Bridge(effective);
            bridge.start();
            log.info(
                    "Listening for browsers on {}://{}:{}{} and for operators on {}://{}:{}",
                    config.socket().tls() == null ? "ws" : "wss",
                    config.socket().host(),
                    bridge.socketPort(),
                    config.socket().path(),
                    config.admin().tls() == null ? "http" : "https",
                    config.admin().host(),
                    bridge.adminPort());
            // Not before the bridge runs: until then there is nothing to stop in order.
            ServiceManager manager = new ServiceManager(System.getenv(), bridge::isLive);
            Stopper stopper =
                    new Stopper(bridge, manager, config.shutdown().grace().plus(STOP_OVERTIME));
            Runtime.getRuntime().addShutdownHook(stopper);
            Signals.onTermination(new FirstAndSecond());
            Signals.onHangup(bridge::reload);
            manager.ready();
            bridge.failure().get();
            stopper.exitCode = ExitCode.INTERNAL;
            return ExitCode.INTERNAL;
        } catch (SchemaFileException | TlsException e) {
            log.error("{}", e.getMessage());
            return ExitCode.CONFIG;
        } catch (ListenerException e) {
            log.error("{}", e.getMessage());
            return ExitCode.UNAVAILABLE;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCode.INTERNAL;
        } catch (ExecutionException e) {
            throw new IllegalStateException("a failure is a value here", e);
        }
    }

    private static void warnAboutDevMode(BridgeConfig config) {
        if (config.auth().mode() == AuthConfig.Mode.DEV) {
            log.warn(
                    "auth.mode=dev: anybody who reaches {}:{} can connect as any user, and publish from the page."
                            + " For trying out only.",
                    config.socket().host(),
                    config.socket().port());
        }
    }

    private static void warnAboutOpenToken(BridgeConfig config) {
        if (config.admin().token() != null
                && config.admin().tls() == null
                && !OriginRule.isLoopbackName(config.admin().host())) {
            log.warn(
                    "admin.token travels to {} as plain text: set pushbridge.admin.tls.certificate-file and"
                            + " pushbridge.admin.tls.key-file unless something in front does TLS",
                    config.admin().host());
        }
    }

    /** The first signal ends the process in order, a second one at once: RabbitMQ has everything that is unsettled. */
    private static final class FirstAndSecond implements Runnable {
        private final AtomicBoolean stopping = new AtomicBoolean();

        @Override
        public void run() {
            if (stopping.compareAndSet(false, true)) {
                System.exit(ExitCode.OK.number()); // the hook stops the bridge
            } else {
                log.warn("Stopped at once by a second signal; what was in hand comes back, perhaps a second time");
                Runtime.getRuntime().halt(ExitCode.FORCED.number());
            }
        }
    }

    /** Runs when the process is told to end, however that happens. */
    private static final class Stopper extends Thread {
        private final Bridge bridge;
        private final ServiceManager manager;
        private final Duration longest;
        volatile ExitCode exitCode = ExitCode.OK;

        Stopper(Bridge bridge, ServiceManager manager, Duration longest) {
            super("pushbridge-stop");
            this.bridge = bridge;
            this.manager = manager;
            this.longest = longest;
        }

        @Override
        public void run() {
            log.info("Stopping");
            manager.stopping();
            Thread stop = new Thread(this::stopBridge, "pushbridge-stopping");
            stop.start();
            try {
                stop.join(longest.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            if (stop.isAlive()) {
                log.warn("Not everything has stopped in time; what is unsettled stays in RabbitMQ");
            } else {
                log.info("Stopped");
            }
            // A JVM ended by SIGTERM would exit 143, as if it had not stopped in order.
            Runtime.getRuntime().halt(exitCode.number());
        }

        private void stopBridge() {
            try {
                bridge.stop();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
