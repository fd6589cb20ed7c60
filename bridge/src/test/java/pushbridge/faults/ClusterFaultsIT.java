package pushbridge.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import pushbridge.faults.RabbitNodes.Node;

/** The same with three RabbitMQ nodes as one cluster, which must survive the loss of any one. */
@Tag("slow")
final class ClusterFaultsIT {

    private static RabbitNodes rabbit;

    @BeforeAll
    static void startRabbit() throws Exception {
        rabbit = RabbitNodes.start(3);
    }

    @AfterAll
    static void stopRabbit() throws Exception {
        rabbit.close();
    }

    @AfterEach
    void healRabbit() throws Exception {
        for (Node node : rabbit.nodes()) {
            if (!node.running()) {
                node.begin();
            }
        }
        for (Node node : rabbit.nodes()) {
            node.awaitUp();
        }
    }

    private static void killAndStart(Scenario run, Node node) throws Exception {
        node.kill();
        run.delivery(300); // the other two go on
        node.begin();
        node.awaitUp();
        run.delivery(300);
    }

    @Test
    void theDeathOfALeaderLosesNothing() throws Exception { // I1, I3
        try (Scenario run = new Scenario(
                "cluster: leaders of instructions, held log and token killed (-9), one after the other",
                rabbit.uris())) {
            run.bridge();
            run.begin();
            for (String queue : List.of("instructions", "held", "owner")) {
                killAndStart(run, rabbit.leaderOf(run.queues().name(queue)));
            }
            run.finish();
        }
    }

    @Test
    void theDeathOfTheLeadersOfCopiesLosesNone() throws Exception { // I1
        try (Scenario run = new Scenario(
                "cluster: leaders of push.dead and push.expired killed (-9) under copies", rabbit.uris())) {
            run.bridge();
            run.begin();
            Node dead = rabbit.leaderOf(run.queues().name("dead"));
            run.publishForNobody(20);
            dead.kill();
            run.publishForNobody(20);
            run.delivery(300); // copies that have to wait for a leader delay nobody
            dead.begin();
            dead.awaitUp();
            Node expired = rabbit.leaderOf(run.queues().name("expired"));
            run.publishToExpire(20);
            expired.kill();
            run.publishToExpire(20);
            run.delivery(300);
            expired.begin();
            expired.awaitUp();
            run.finish();
        }
    }

    @Test
    void aNodeWithoutAReplicaOfTheHeldLogIsNoObstacle() throws Exception { // I1, I3
        try (Scenario run = new Scenario("cluster: bridge first at a node without the held log", rabbit.uris())) {
            BridgeProcess maker = run.bridge(rabbit.uris());
            maker.awaitReady();
            assertThat(maker.stop()).isZero();
            Node without = rabbit.node(2);
            without.streams("delete_replica", run.queues().name("held"), without.name());
            List<URI> order =
                    List.of(without.uri(), rabbit.node(0).uri(), rabbit.node(1).uri());
            run.serve(run.bridge(order).webSocket());
            run.begin(1);
            run.delivery(300);
            run.finish();
        }
    }

    @Test
    void theLossOfTheMajorityIsWaitedFor() throws Exception { // I1
        try (Scenario run = new Scenario("cluster: two of three nodes killed (-9) and started again", rabbit.uris())) {
            run.bridge();
            run.begin();
            rabbit.node(1).kill();
            rabbit.node(2).kill();
            rabbit.node(1).begin();
            rabbit.node(2).begin();
            rabbit.node(1).awaitUp();
            rabbit.node(2).awaitUp();
            run.delivery(400);
            run.finish();
        }
    }

    @Test
    void aMinorityThatIsCutOffHoldsNothingUp() throws Exception { // I1, I3
        try (Scenario run =
                new Scenario("cluster: one node of three cut off from the others, then back", rabbit.uris())) {
            Node minority = rabbit.node(0);
            // The bridge knows the node that will be alone; the client library picks one by chance.
            List<URI> order =
                    List.of(minority.uri(), rabbit.node(1).uri(), rabbit.node(2).uri());
            run.serve(run.bridge(order).webSocket());
            run.begin();
            rabbit.separate(minority);
            Waiting.until(
                    "the node to have lost the others",
                    () -> minority.ctl("eval", "nodes().").contains("[]"));
            run.delivery(400);
            rabbit.reunite(minority);
            Waiting.until("the node to be back", () -> rabbit.running() == 3);
            run.delivery(400);
            run.finish();
        }
    }
}
