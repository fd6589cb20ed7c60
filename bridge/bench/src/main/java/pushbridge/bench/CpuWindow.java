package pushbridge.bench;

/** Processor time of bridge, broker and clients (this process) between two points in time. */
final class CpuWindow {

    private final long bridgePid;
    private final long brokerPid;
    private final long ownPid = ProcessHandle.current().pid();
    private final double bridge;
    private final double broker;
    private final double own;
    private final long began = System.nanoTime();

    /** Begins. */
    CpuWindow(BridgeProcess bridge, BrokerNode broker) throws BenchException {
        bridgePid = bridge.pid();
        brokerPid = broker.pid();
        this.bridge = ProcessFigures.cpuSeconds(bridgePid);
        this.broker = ProcessFigures.cpuSeconds(brokerPid);
        own = ProcessFigures.cpuSeconds(ownPid);
    }

    double seconds() {
        return Waiting.seconds(System.nanoTime() - began);
    }

    /** Says what a message took of each. */
    void tell(Figures figures, String of, double messages) throws BenchException {
        double bridgeUsed = ProcessFigures.cpuSeconds(bridgePid) - bridge;
        double brokerUsed = ProcessFigures.cpuSeconds(brokerPid) - broker;
        double ownUsed = ProcessFigures.cpuSeconds(ownPid) - own;
        figures.note(of + ": bridge CPU", bridgeUsed * 1e6 / messages, "us/message");
        if (brokerPid != 0) {
            figures.note(of + ": broker CPU", brokerUsed * 1e6 / messages, "us/message");
        }
        figures.note(of + ": clients' CPU", ownUsed * 1e6 / messages, "us/message");
    }
}
