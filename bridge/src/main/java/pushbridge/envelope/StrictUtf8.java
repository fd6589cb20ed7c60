package pushbridge.envelope;

/**
 * Tells whether bytes are UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF, nothing
 * cut off. The JSON parser is laxer than that in places, and a browser closes the connection on a text frame that is not
 * UTF-8 (RFC 6455 section 8.1), so one bad body would cost every connection it goes to.
 */
final class StrictUtf8 {

    private StrictUtf8() {}

    /**
     * Where the first sequence that is not UTF-8 begins.
     *
     * @return an index into the bytes, or -1 when all of them are UTF-8
     */
    static int firstInvalid(byte[] bytes) {
        int i = 0;
        while (i < bytes.length) {
            int lead = bytes[i];
            if (lead >= 0) {
                i++;
                continue;
            }
            int length = sequenceLength(bytes, i, lead & 0xFF);
            if (length < 0) {
                return i;
            }
            i += length;
        }
        return -1;
    }

    /** RFC 3629 section 4: only the second byte has a range of its own, which depends on the first. */
    private static int sequenceLength(byte[] bytes, int start, int lead) {
        int length;
        int lowest = 0x80;
        int highest = 0xBF;
        if (lead >= 0xC2 && lead <= 0xDF) {
            length = 2;
        } else if (lead >= 0xE0 && lead <= 0xEF) {
            length = 3;
            if (lead == 0xE0) {
                lowest = 0xA0; // below: overlong
            } else if (lead == 0xED) {
                highest = 0x9F; // above: surrogates
            }
        } else if (lead >= 0xF0 && lead <= 0xF4) {
            length = 4;
            if (lead == 0xF0) {
                lowest = 0x90; // below: overlong
            } else if (lead == 0xF4) {
                highest = 0x8F; // above: beyond U+10FFFF
            }
        } else {
            return -1;
        }
        if (start + length > bytes.length) {
            return -1;
        }
        int second = bytes[start + 1] & 0xFF;
        if (second < lowest || second > highest) {
            return -1;
        }
        for (int i = 2; i < length; i++) {
            if ((bytes[start + i] & 0xC0) != 0x80) {
                return -1;
            }
        }
        return length;
    }
}
