package pushbridge.faults;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** What the soak breaks. Each draws its details from the run's random numbers, and has its end when {@link #strike} returns. */
enum SoakFault {
    BRIDGE_KILLED("bridge killed (-9) and started again", true) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            BridgeProcess bridge = world.anyBridge(random);
            bridge.kill();
            world.last(random, 0, 4);
            bridge.start();
        }
    },
    BRIDGE_TERMINATED("bridge ended (SIGTERM) and started again", true) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            BridgeProcess bridge = world.anyBridge(random);
            int status = bridge.stop();
            if (status != 0) {
                throw new AssertionError("a bridge ended with " + status + " when it was asked to");
            }
            world.last(random, 0, 4);
            bridge.start();
        }
    },
    BRIDGE_FROZEN("bridge frozen (SIGSTOP), then goes on (SIGCONT)", false) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            BridgeProcess bridge = world.anyBridge(random);
            bridge.freeze();
            world.last(random, 1, 12);
            bridge.thaw();
        }
    },
    BROKER_KILLED("broker killed (-9) and started again", false) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            world.broker().kill();
            world.last(random, 0, 4);
            world.heal();
        }
    },
    BROKER_STOPPED("broker stopped and started again", false) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            world.broker().stop();
            world.last(random, 0, 4);
            world.heal();
        }
    },
    BROKER_RESTARTED("broker restarted within its process (stop_app, start_app)", false) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            world.broker().ctl("stop_app");
            world.last(random, 0, 2);
            world.broker().ctl("start_app");
        }
    },
    CONNECTIONS_CLOSED("all connections closed by the broker", false) {
        @Override
        void strike(SoakWorld world, Random random) {
            world.broker().ctl("close_all_connections", "soak");
        }
    },
    BROKER_CUT("TCP between bridges and broker cut", false) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            for (int i = 0, times = 1 + random.nextInt(3); i < times; i++) {
                world.towardsBroker(random).cut();
                world.last(random, 0, 2);
            }
        }
    },
    BROKER_BLACK_HOLE("black hole between bridges and broker", false) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            world.towardsBroker(random).swallow();
            world.last(random, 3, 8);
        }
    },
    CLIENTS_CUT("TCP between clients and bridges cut", false) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            for (int i = 0, times = 1 + random.nextInt(3); i < times; i++) {
                world.towardsClients().forEach(proxy -> proxy.cut());
                world.last(random, 0, 2);
            }
        }
    },
    CLIENTS_BLACK_HOLE("black hole between clients and bridges", false) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            world.towardsClients().forEach(proxy -> proxy.swallow());
            world.last(random, 3, 8);
        }
    },
    MEMORY_ALARM("memory alarm", false) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            world.broker().ctl("set_vm_memory_high_watermark", "0.00001");
            world.last(random, 1, 6);
            world.broker().ctl("set_vm_memory_high_watermark", "absolute", "1GB");
        }
    },
    DISK_ALARM("disk alarm", false) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            world.broker().ctl("set_disk_free_limit", "1000000GB");
            world.last(random, 1, 6);
            world.broker().ctl("set_disk_free_limit", "50MB");
        }
    },
    CLIENTS_STALLED("5% of the clients read nothing for a while", false) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            List<RecordingClient> stalled = world.someClients(random, 20);
            stalled.forEach(RecordingClient::stall);
            world.last(random, 4, 10);
            stalled.forEach(RecordingClient::resume);
        }
    },
    RECONNECT_STORM("all clients reconnect at once, three times", false) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            for (int i = 0; i < 3; i++) {
                world.clients().forEach(RecordingClient::reconnect);
                world.last(random, 0, 2);
            }
        }
    },
    TWO("two of these, the second within a second", false) {
        @Override
        void strike(SoakWorld world, Random random) throws Exception {
            List<SoakFault> others = Stream.of(values())
                    .filter(fault -> fault != TWO && !fault.endsBridges)
                    .toList();
            for (int i = 0; i < 2; i++) {
                SoakFault fault = others.get(random.nextInt(others.size()));
                world.say("   … " + fault.title);
                fault.strike(world, random);
                world.last(random, 0, 1);
            }
        }
    };

    private final String title;
    private final boolean endsBridges;

    SoakFault(String title, boolean endsBridges) {
        this.title = title;
        this.endsBridges = endsBridges;
    }

    /** What the table calls it. */
    String title() {
        return title;
    }

    /** Whether a bridge's process does not survive it, by intent. */
    boolean endsBridges() {
        return endsBridges;
    }

    /** Does it, with its effects still to be seen; when it returns nothing is broken from outside any more. */
    abstract void strike(SoakWorld world, Random random) throws Exception;
}
