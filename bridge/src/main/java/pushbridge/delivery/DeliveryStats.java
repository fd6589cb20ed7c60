package pushbridge.delivery;

/** Placeholder of the statistics. */
final class DeliveryStats {}
