package pushbridge.app;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hears SIGTERM and SIGINT itself, because the JVM would take no notice of a second one while it stops. The class for that
 * is exported to everybody, but the compiler warns of it, so it is reached by reflection; on a JVM without it the first
 * signal works as ever.
 */
final class Signals {

    private static final Logger log = LoggerFactory.getLogger(Signals.class);

    private Signals() {}

    /**
     * From now on.
     *
     * @param heard run for each signal, on a thread of its own
     */
    static void onTermination(Runnable heard) {
        on(heard, "TERM", "INT");
    }

    /** SIGHUP, which would end the process otherwise. */
    static void onHangup(Runnable heard) {
        on(heard, "HUP");
    }

    private static void on(Runnable heard, String... names) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            InvocationHandler call = (proxy, method, arguments) -> {
                switch (method.getName()) {
                    case "handle" -> new Thread(heard, "pushbridge-signal").start();
                    case "hashCode" -> {
                        return System.identityHashCode(proxy);
                    }
                    case "equals" -> {
                        return proxy == arguments[0];
                    }
                    default -> {
                        return "Signals";
                    }
                }
                return null;
            };
            Object ours = Proxy.newProxyInstance(Signals.class.getClassLoader(), new Class<?>[] {handler}, call);
            for (String name : names) {
                signal.getMethod("handle", signal, handler)
                        .invoke(null, signal.getConstructor(String.class).newInstance(name), ours);
            }
        } catch (ReflectiveOperationException | IllegalArgumentException e) {
            log.debug("Signals {} are not heard", names, e);
        }
    }
}
