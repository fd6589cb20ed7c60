package pushbridge.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;

final class TroubleTest {

    private final List<String> logged = new ArrayList<>();
    private final BrokerStatus status = new BrokerStatus();
    private long now = 42;
    private final Trouble trouble = new Trouble(recorder(), status, "reading", () -> now);

    /** Writes down what is not only for debugging. */
    private Logger recorder() {
        return (Logger) Proxy.newProxyInstance(
                TroubleTest.class.getClassLoader(), new Class<?>[] {Logger.class}, (proxy, method, arguments) -> {
                    if (!method.getName().equals("debug")) {
                        logged.add(method.getName() + " " + arguments[1]);
                    }
                    return null;
                });
    }

    private void pass() {
        now += Trouble.PASSING.toNanos();
    }

    @Test
    void whatPassesIsNotWorthAWord() {
        trouble.is("read", "it cannot be read");
        now += Trouble.PASSING.toNanos() - 1;
        trouble.is("read", "it cannot be read");
        trouble.over("it works");
        assertThat(logged).isEmpty();
        assertThat(status.snapshot().alarms()).isEmpty();
    }

    @Test
    void whatLastsIsSaidOnceAndOnceThatItIsOver() {
        trouble.is("read", "it cannot be read");
        pass();
        trouble.is("read", "it cannot be read");
        trouble.is("read", "it cannot be read");
        assertThat(status.snapshot().alarms()).containsExactly("it cannot be read");
        trouble.over("it works");
        trouble.over("it works");
        assertThat(logged).containsExactly("warn it cannot be read", "info it works");
        assertThat(status.snapshot().alarms()).isEmpty();
    }

    @Test
    void nodesThatTakeTurnsAreNoNews() {
        trouble.is("replica", "node a has no replica");
        pass();
        for (int i = 0; i < 5; i++) {
            trouble.is("replica", "node b has no replica");
            trouble.is("replica", "node a has no replica");
        }
        assertThat(logged).containsExactly("warn node b has no replica");
        assertThat(status.snapshot().alarms()).containsExactly("node a has no replica"); // the latest
    }

    @Test
    void anotherKindIsNews() {
        trouble.is("replica", "node a has no replica");
        pass();
        trouble.is("replica", "node a has no replica");
        trouble.is("connect", "nobody is there");
        assertThat(logged).containsExactly("warn node a has no replica", "warn nobody is there");
    }

    @Test
    void theNextTimeIsAnotherStory() {
        trouble.is("read", "it cannot be read");
        pass();
        trouble.is("read", "it cannot be read");
        trouble.over("it works");
        trouble.is("read", "it cannot be read");
        assertThat(logged).hasSize(2);
        pass();
        trouble.is("read", "it cannot be read");
        assertThat(logged).hasSize(3);
    }
}
