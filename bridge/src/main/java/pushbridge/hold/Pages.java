package pushbridge.hold;

import java.util.Arrays;

/**
 * Columns of the index: arrays in pages, so that a million entries neither grow by copying, which would be a pause of the
 * delivery loop, nor keep room for what is no longer there.
 */
final class Pages {

    private static final int BITS = 12;
    private static final int SIZE = 1 << BITS;
    private static final int MASK = SIZE - 1;

    /** The header of an array with compressed class pointers. */
    static final int ARRAY_HEADER = 16;

    private Pages() {}

    /** How many pages for this many values: one is kept to spare, or a border would be paid for again and again. */
    private static int pages(int have, int size) {
        int need = (size + MASK) >>> BITS;
        return need > have ? need : Math.min(have, need + 1);
    }

    /** A column of {@code long}. */
    static final class Longs {
        private long[][] pages = {};

        long get(int index) {
            return pages[index >>> BITS][index & MASK];
        }

        void set(int index, long value) {
            pages[index >>> BITS][index & MASK] = value;
        }

        /** Makes room for this many values and gives back what is far beyond. */
        void fit(int size) {
            int have = pages.length;
            int want = pages(have, size);
            if (want != have) {
                pages = Arrays.copyOf(pages, want);
                for (int i = have; i < want; i++) {
                    pages[i] = new long[SIZE];
                }
            }
        }

        long heapBytes() {
            return pages.length * (ARRAY_HEADER + 4L + (long) SIZE * Long.BYTES);
        }
    }

    /** A column of {@code int}. */
    static final class Ints {
        private int[][] pages = {};

        int get(int index) {
            return pages[index >>> BITS][index & MASK];
        }

        void set(int index, int value) {
            pages[index >>> BITS][index & MASK] = value;
        }

        /** Makes room for this many values and gives back what is far beyond. */
        void fit(int size) {
            int have = pages.length;
            int want = pages(have, size);
            if (want != have) {
                pages = Arrays.copyOf(pages, want);
                for (int i = have; i < want; i++) {
                    pages[i] = new int[SIZE];
                }
            }
        }

        long heapBytes() {
            return pages.length * (ARRAY_HEADER + 4L + (long) SIZE * Integer.BYTES);
        }
    }

    /** A column of {@code char}: numbers up to 65,535. */
    static final class Chars {
        private char[][] pages = {};

        int get(int index) {
            return pages[index >>> BITS][index & MASK];
        }

        void set(int index, int value) {
            pages[index >>> BITS][index & MASK] = (char) value;
        }

        /** Makes room for this many values and gives back what is far beyond. */
        void fit(int size) {
            int have = pages.length;
            int want = pages(have, size);
            if (want != have) {
                pages = Arrays.copyOf(pages, want);
                for (int i = have; i < want; i++) {
                    pages[i] = new char[SIZE];
                }
            }
        }

        long heapBytes() {
            return pages.length * (ARRAY_HEADER + 4L + (long) SIZE * Character.BYTES);
        }
    }

    /** A column of byte arrays, empty where nothing was set. Counts the heap of the arrays in it. */
    static final class Names {
        private static final byte[] NONE = {};

        private byte[][][] pages = {};
        private long nameBytes;

        byte[] get(int index) {
            return pages[index >>> BITS][index & MASK];
        }

        void set(int index, byte[] name) {
            nameBytes += heap(name) - heap(get(index));
            pages[index >>> BITS][index & MASK] = name;
        }

        void clear(int index) {
            set(index, NONE);
        }

        /** Makes room for this many values and gives back what is far beyond, which must have been cleared. */
        void fit(int size) {
            int have = pages.length;
            int want = pages(have, size);
            if (want != have) {
                pages = Arrays.copyOf(pages, want);
                for (int i = have; i < want; i++) {
                    pages[i] = new byte[SIZE][];
                    Arrays.fill(pages[i], NONE);
                }
            }
        }

        long heapBytes() {
            return nameBytes + pages.length * (ARRAY_HEADER + 4L + (long) SIZE * 4);
        }

        private static long heap(byte[] name) {
            return name.length == 0 ? 0 : (ARRAY_HEADER + name.length + 7L) & ~7L;
        }
    }
}
