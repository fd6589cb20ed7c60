package pushbridge.faults;

/** A message found in the dead-letter queue or among the expired ones, with the reason its headers give. */
record Copy(Frame frame, String reason) {}
