package pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import pushbridge.admin.Health;
import pushbridge.amqp.BrokerStatus;
import pushbridge.amqp.BrokerStatus.Ownership;
import pushbridge.app.BridgeHealth.Signs;

/** Live fails slowly and for one reason only; ready fails at once, for each of several. */
final class BridgeHealthTest {

    private static final BrokerStatus.Snapshot FINE = broker(true, Ownership.OWNER, true, null, false, List.of());
    private static final Signs WELL = new Signs(false, 1_000_000, false, FINE, 0, true, 0, null);

    @Test
    void whatIsWellIsLiveAndReadyAndHasNoProblems() {
        Health now = judge(WELL);
        assertThat(now.live()).isTrue();
        assertThat(now.ready()).isTrue();
        assertThat(now.problems()).isEmpty();
        assertThat(now.liveChecks()).containsEntry("delivery", "running").containsEntry("last turn", "1 ms ago");
        assertThat(now.checks())
                .containsEntry("broker", "connected")
                .containsEntry("ownership", "owner")
                .containsEntry("intake", "taking")
                .containsEntry("held log", "0 records behind")
                .containsEntry("copies", "connected");
    }

    @Test
    void aLoopThatStandsStillForAMomentIsLiveAndOneThatDoesForHalfAMinuteIsNot() {
        long almost = BridgeHealth.DEAD_LOOP_NANOS - 1;
        assertThat(judge(new Signs(false, almost, false, FINE, 0, true, 0, null))
                        .live())
                .isTrue();
        Health dead = judge(new Signs(false, TimeUnit.SECONDS.toNanos(30), false, FINE, 0, true, 0, null));
        assertThat(dead.live()).isFalse();
        assertThat(dead.ready()).isFalse();
        assertThat(dead.problems().get(0)).contains("restart this process");
    }

    @Test
    void nothingAboutTheBrokerMakesItDead() {
        Health now = judge(broker(false, Ownership.UNKNOWN, false, "memory", true, List.of("a", "b")));
        assertThat(now.live()).isTrue();
        assertThat(now.ready()).isFalse();
    }

    @Test
    void eachOfTheseMakesItNotReadyAtOnce() {
        assertThat(judge(broker(false, Ownership.UNKNOWN, true, null, false, List.of()))
                        .ready())
                .isFalse();
        assertThat(judge(broker(true, Ownership.STANDBY, true, null, false, List.of())))
                .satisfies(now -> assertThat(now.ready()).isFalse())
                .satisfies(now -> assertThat(now.problems()).anyMatch(p -> p.contains("Another bridge is the owner")))
                .satisfies(now -> assertThat(now.checks()).containsEntry("intake", "not taking"));
        assertThat(judge(broker(true, Ownership.OWNER, false, null, false, List.of()))
                        .ready())
                .isFalse();
        assertThat(judge(new Signs(false, 0, true, FINE, 0, true, 0, null)))
                .satisfies(now -> assertThat(now.ready()).isFalse())
                .satisfies(now -> assertThat(now.live()).isTrue())
                .satisfies(now -> assertThat(now.checks()).containsEntry("intake", "stopping"));
        assertThat(judge(new Signs(false, 0, false, FINE, 0, false, -1, null)))
                .satisfies(now -> assertThat(now.ready()).isFalse())
                .satisfies(now -> assertThat(now.checks()).containsEntry("held log", "being read"))
                .satisfies(now -> assertThat(now.problems()).anyMatch(p -> p.contains("held log is being read")));
    }

    @Test
    void anAlarmIsToldButTheBridgeStaysReady() {
        Health now = judge(broker(true, Ownership.OWNER, true, "disk", true, List.of("push.dead is full")));
        assertThat(now.ready()).isTrue();
        assertThat(now.problems()).anyMatch(p -> p.contains("disk")).contains("push.dead is full");
        assertThat(now.checks()).containsEntry("intake", "taking one by one");
    }

    private static BrokerStatus.Snapshot broker(
            boolean intake,
            Ownership ownership,
            boolean copies,
            @Nullable String blocked,
            boolean careful,
            List<String> alarms) {
        return new BrokerStatus.Snapshot(intake, ownership, copies, blocked, null, careful, alarms);
    }

    private static Health judge(BrokerStatus.Snapshot broker) {
        return judge(new Signs(false, 0, false, broker, 0, true, 0, null));
    }

    private static Health judge(Signs signs) {
        return new BridgeHealth(() -> signs).now();
    }
}
