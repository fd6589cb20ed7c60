package pushbridge.faults;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** One bridge, or two, on one RabbitMQ node, and everything that can break between and in them. */
@Tag("slow")
final class FaultsIT {

    private static RabbitNodes rabbit;

    @BeforeAll
    static void startRabbit() throws Exception {
        rabbit = RabbitNodes.start(1);
    }

    @AfterAll
    static void stopRabbit() throws Exception {
        rabbit.close();
        LoggerFactory.getLogger(FaultsIT.class).info("What was measured:\n{}", Results.table());
    }

    @AfterEach
    void healRabbit() throws Exception {
        if (!rabbit.only().running()) {
            rabbit.only().begin();
            rabbit.only().awaitUp();
        }
    }

    private static Scenario scenario(String fault) throws Exception {
        return new Scenario(fault, rabbit.uris());
    }

    @Test
    void withoutAFaultNothingIsLostReorderedOrDuplicated() throws Exception {
        try (Scenario run = scenario("none").withoutDuplicates()) {
            run.bridge();
            run.begin();
            run.flow(1_000);
            run.finish();
        }
    }

    @Test
    void aKilledBridgeLosesNothing() throws Exception { // I1, I3
        try (Scenario run = scenario("bridge killed (-9) in full flow, three times")) {
            BridgeProcess bridge = run.bridge();
            run.begin();
            for (int i = 0; i < 3; i++) {
                run.flow(400);
                bridge.kill();
                run.flow(200);
                bridge.start();
                bridge.awaitReady();
                run.delivery(200);
            }
            run.finish();
        }
    }

    @Test
    void aKilledBrokerLosesNothing() throws Exception { // I1
        try (Scenario run = scenario("broker killed (-9) and started again, twice")) {
            run.bridge();
            run.begin();
            for (int i = 0; i < 2; i++) {
                run.flow(400);
                rabbit.only().kill();
                rabbit.only().begin();
                rabbit.only().awaitUp();
                run.delivery(200);
            }
            run.finish();
        }
    }
}
