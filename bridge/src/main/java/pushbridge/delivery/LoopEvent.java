package pushbridge.delivery;

/** Something that happened elsewhere and is dealt with on the loop's thread. */
@FunctionalInterface
interface LoopEvent {
    void run(DeliveryCore core);
}
