package pushbridge.delivery;

/** Placeholder of the lane. */
final class Lane {}
