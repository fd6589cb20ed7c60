package pushbridge.hold;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What the held log consists of. Each record carries the epoch of the owner that wrote it and its ordinal, which an owner
 * counts up by one from that of its {@link Epoch} record; a record appended again after a lost confirm keeps both.
 */
public sealed interface LogRecord {

    /** Most messages in one {@link Hold}, whomever they are for: positions are 16 bits wide in the index. */
    int MAX_MESSAGES = 65_535;

    /** Longest address or node name, in bytes of UTF-8. */
    int MAX_NAME_BYTES = 255;

    /** The owner's epoch, 0 or more. */
    long epoch();

    /** The record's number within its epoch, 0 or more. */
    long ordinal();

    /**
     * These messages are held, for many addresses at once: a push to a million absent users must not cost a million
     * records. Naming an id that is held already only moves it here: that is how what is still live is copied forward. The
     * writer never names an id that it released.
     *
     * @param parts at least one; a message's position counts through all of them
     */
    record Hold(long epoch, long ordinal, List<Part> parts) implements LogRecord {

        /** Checks and copies the list. */
        public Hold {
            check(epoch, ordinal);
            parts = List.copyOf(parts);
            long messages = 0;
            for (Part part : parts) {
                messages += part.messages().size();
            }
            if (messages < 1 || messages > MAX_MESSAGES) {
                throw new IllegalArgumentException(
                        "a hold record has 1 to " + MAX_MESSAGES + " messages, this one " + messages);
            }
        }
    }

    /**
     * What one {@link Hold} holds for one address.
     *
     * @param address whom the messages are for, at most {@value #MAX_NAME_BYTES} bytes of UTF-8
     * @param messages at least one, in the order of their ids
     */
    record Part(String address, List<HeldMessage> messages) {

        /** Checks and copies the list. */
        public Part {
            checkName("address", address);
            messages = List.copyOf(messages);
            if (messages.isEmpty()) {
                throw new IllegalArgumentException("nothing is held for " + address + " in its part of a hold record");
            }
        }
    }

    /**
     * These messages are delivered, expired or discarded.
     *
     * @param ids at least one; shared, nobody may change it
     */
    record Release(long epoch, long ordinal, long[] ids) implements LogRecord {

        /** Checks. */
        public Release {
            check(epoch, ordinal);
            if (ids.length == 0) {
                throw new IllegalArgumentException("a release record needs at least one id");
            }
        }
    }

    /**
     * A new owner: whatever stands behind this with a lower epoch is void. Two contenders may write the same epoch, the
     * first wins; so a writer owns the log only when {@link HeldIndex#epochNode()} is its own after its record came back.
     *
     * @param node the owner, unique to each start of a process
     */
    record Epoch(long epoch, long ordinal, String node) implements LogRecord {

        /** Checks. */
        public Epoch {
            check(epoch, ordinal);
            checkName("node", node);
        }
    }

    /**
     * Where a later fold may start, and what it must then arrive at. It describes the state its writer had when it made
     * it, that is after {@code asOfOrdinal}; records that were under way at that time stand between that one and this.
     *
     * @param lowestLiveOffset nothing before this offset is needed: start reading here
     * @param startEpoch the epoch in force there when nothing was held; else -1, the record at that offset says it
     * @param startOrdinal the last ordinal of that epoch before that offset, or -1 in the same way
     * @param asOfOrdinal the last ordinal of this record's epoch that is taken into account
     * @param highestId the highest id that was ever held, -1 for none
     * @param messages how many were held
     * @param bytes what they would take in the log, see {@link HeldIndex#bytes()}
     * @param fingerprint of all that is held, with places and deadlines, whatever the order
     */
    record Checkpoint(
            long epoch,
            long ordinal,
            long lowestLiveOffset,
            long startEpoch,
            long startOrdinal,
            long asOfOrdinal,
            long highestId,
            long messages,
            long bytes,
            long fingerprint)
            implements LogRecord {

        /** Checks. */
        public Checkpoint {
            check(epoch, ordinal);
            if (lowestLiveOffset < 0
                    || startEpoch < -1
                    || startEpoch > epoch
                    || startOrdinal < -1
                    || asOfOrdinal < -1
                    || asOfOrdinal >= ordinal
                    || highestId < -1
                    || messages < 0
                    || bytes < 0) {
                throw new IllegalArgumentException("a checkpoint cannot say this: lowest live offset "
                        + lowestLiveOffset + ", start " + startEpoch + "/" + startOrdinal + ", as of " + asOfOrdinal
                        + " before " + ordinal + ", highest id " + highestId + ", " + messages + " messages, " + bytes
                        + " bytes");
            }
        }
    }

    private static void check(long epoch, long ordinal) {
        if (epoch < 0 || ordinal < 0) {
            throw new IllegalArgumentException(
                    "epoch and ordinal are 0 or more, these are " + epoch + " and " + ordinal);
        }
    }

    private static void checkName(String what, String name) {
        // Three bytes a char is the most UTF-8 takes, so most names need no encoding to be sure.
        if (name.isEmpty()
                || (name.length() * 3 > MAX_NAME_BYTES
                        && name.getBytes(StandardCharsets.UTF_8).length > MAX_NAME_BYTES)) {
            throw new IllegalArgumentException("the " + what + " has 1 to " + MAX_NAME_BYTES
                    + " bytes of UTF-8, this one " + name.length() + " characters");
        }
    }
}
