package pushbridge.socket;

/** Whether bytes that come one by one are UTF-8, by table 3-7 of the Unicode standard: known with the first wrong one. */
final class Utf8Check {

    private static final int LOWEST = 0x80;
    private static final int HIGHEST = 0xBF;

    /** Bytes that the character still lacks. */
    private int missing;

    /** What the next of them may be. */
    private int least = LOWEST;

    private int most = HIGHEST;

    /** Looks at the next byte, 0 to 255; false when it cannot stand here. */
    boolean next(int value) {
        if (missing > 0) {
            boolean fits = value >= least && value <= most;
            missing--;
            least = LOWEST;
            most = HIGHEST;
            return fits;
        }
        if (value < 0x80) {
            return true;
        }
        if (value < 0xC2 || value > 0xF4) {
            return false; // a continuation without a beginning, overlong, or beyond Unicode
        }
        missing = value < 0xE0 ? 1 : value < 0xF0 ? 2 : 3;
        switch (value) {
            case 0xE0 -> least = 0xA0; // shorter otherwise
            case 0xED -> most = 0x9F; // surrogates
            case 0xF0 -> least = 0x90;
            case 0xF4 -> most = 0x8F;
            default -> {}
        }
        return true;
    }

    /** Whether the last character has all its bytes. */
    boolean isWhole() {
        return missing == 0;
    }
}
