package pushbridge.tls;

import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import javax.net.ssl.SSLException;

/** Says why TLS to a broker did not come about, so that whoever reads it knows which side to look at. */
public final class TlsTrouble {

    private static final String ALERT = "Received fatal alert: ";

    private TlsTrouble() {}

    /** A part of a sentence whose subject is the broker. */
    public static String describe(SSLException e) {
        String message = String.valueOf(e.getMessage());
        if (message.startsWith(ALERT)) {
            return alert(message.substring(ALERT.length()));
        }
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertPathBuilderException) {
                return "TLS: its certificate is signed by nobody that is trusted here; name the authority with"
                        + " pushbridge.amqp.tls.ca-file";
            } else if (cause instanceof CertificateExpiredException) {
                return "TLS: its certificate has expired (" + cause.getMessage() + ")";
            } else if (cause instanceof CertificateNotYetValidException) {
                return "TLS: its certificate is not valid yet (" + cause.getMessage() + ")";
            } else if (cause instanceof CertificateException
                    && String.valueOf(cause.getMessage()).startsWith("No ")) {
                // "No name matching x found", "No subject alternative names matching IP address x found"
                return "TLS: its certificate is for another host (" + cause.getMessage()
                        + "); use the name that stands in it";
            }
        }
        return message.contains("plaintext connection") || message.contains("Unsupported or unrecognized")
                ? "TLS: what answers there speaks no TLS; is it the port for amqp://?"
                : "TLS: " + message;
    }

    private static String alert(String name) {
        return switch (name) {
            case "certificate_required", "handshake_failure" ->
                "TLS: it wants a certificate of the bridge, or nothing that both can speak (" + name
                        + "); see pushbridge.amqp.tls.certificate-file";
            case "bad_certificate",
                    "unknown_ca",
                    "certificate_unknown",
                    "certificate_expired",
                    "unsupported_certificate" ->
                "TLS: it does not take the bridge's certificate (" + name
                        + "); see pushbridge.amqp.tls.certificate-file";
            default -> "TLS: it has broken off (" + name + ")";
        };
    }
}
