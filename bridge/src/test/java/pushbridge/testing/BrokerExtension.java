package pushbridge.testing;

import java.net.URI;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives a test a {@link Broker}: the RabbitMQ at {@value #URI_VARIABLE}, with a prefix of its own, so that tests can
 * run side by side. Without the variable tests are skipped, or fail when {@value #REQUIRED_VARIABLE} is {@code true}.
 */
public final class BrokerExtension implements ParameterResolver, ExecutionCondition {

    /** For example {@code amqp://guest:guest@127.0.0.1:5672}. */
    public static final String URI_VARIABLE = "PUSHBRIDGE_TEST_AMQP_URI";

    /** {@code true} where a skipped test would be mistaken for a passed one. */
    public static final String REQUIRED_VARIABLE = "PUSHBRIDGE_TEST_BROKER_REQUIRED";

    private static final Namespace NAMESPACE = Namespace.create(BrokerExtension.class);

    /** A broker asked for by a constructor belongs to the one test, too. */
    @Override
    public ExtensionContextScope getTestInstantiationExtensionContextScope(ExtensionContext rootContext) {
        return ExtensionContextScope.TEST_METHOD;
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        if (uri() != null) {
            return ConditionEvaluationResult.enabled("a broker is there");
        }
        if ("true".equals(System.getenv(REQUIRED_VARIABLE))) {
            throw new IllegalStateException(REQUIRED_VARIABLE + " is true, but " + URI_VARIABLE + " names no broker");
        }
        return ConditionEvaluationResult.disabled(URI_VARIABLE + " names no broker");
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Broker.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        String uri = uri();
        if (uri == null) {
            throw new IllegalStateException(URI_VARIABLE + " names no broker");
        }
        // The store closes it after the test, or after the class when @BeforeAll asked for it.
        return context.getStore(NAMESPACE)
                .getOrComputeIfAbsent(Broker.class, type -> new Broker(URI.create(uri)), Broker.class);
    }

    private static @Nullable String uri() {
        String uri = System.getenv(URI_VARIABLE);
        return uri == null || uri.isBlank() ? null : uri;
    }
}
