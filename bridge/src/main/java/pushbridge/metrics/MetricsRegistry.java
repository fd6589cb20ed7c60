package pushbridge.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.function.DoubleSupplier;

/** Holds the meters, each reading its value where it is kept; scraped as Prometheus text. Thread-safe. */
public final class MetricsRegistry implements AutoCloseable {

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics gc = new JvmGcMetrics();

    /** A registry with the meters of the JVM and the process. */
    public MetricsRegistry() {
        new JvmMemoryMetrics().bindTo(registry);
        gc.bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ClassLoaderMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
    }

    /** Registers a metric without a label. */
    public void register(Metric metric, DoubleSupplier value) {
        if (metric.label() != null) {
            throw new IllegalArgumentException(metric + " needs a value for its label " + metric.label());
        }
        register(metric, Tags.empty(), value);
    }

    /** Registers one value of the metric's label. */
    public void register(Metric metric, String labelValue, DoubleSupplier value) {
        String label = metric.label();
        if (label == null) {
            throw new IllegalArgumentException(metric + " has no label");
        }
        register(metric, Tags.of(label, labelValue), value);
    }

    private void register(Metric metric, Tags tags, DoubleSupplier value) {
        switch (metric.kind()) {
            // A counter holds its object weakly, and a lambda is nobody else's: so the object is the registry.
            case COUNTER ->
                FunctionCounter.builder(metric.dottedName(), this, self -> value.getAsDouble())
                        .description(metric.help())
                        .tags(tags)
                        .register(registry);
            case GAUGE ->
                Gauge.builder(metric.dottedName(), value, DoubleSupplier::getAsDouble)
                        .description(metric.help())
                        .tags(tags)
                        .strongReference(true)
                        .register(registry);
        }
    }

    /** The state now, in the Prometheus text format 0.0.4. */
    public String scrape() {
        return registry.scrape();
    }

    @Override
    public void close() {
        gc.close();
        registry.close();
    }
}
