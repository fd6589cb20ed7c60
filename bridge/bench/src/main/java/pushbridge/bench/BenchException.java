package pushbridge.bench;

/** A scenario cannot go on; the message is one sentence for whoever runs it. */
final class BenchException extends Exception {

    private static final long serialVersionUID = 1L;

    BenchException(String sentence) {
        super(sentence);
    }

    BenchException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
