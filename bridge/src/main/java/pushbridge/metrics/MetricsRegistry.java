package pushbridge.metrics;

import io.github.resilience4j.micrometer.tagged.TaggedRateLimiterMetrics;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
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
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import java.util.function.DoubleSupplier;
import pushbridge.timing.Durations;

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

    /** Registers durations. */
    public void register(Metric metric, Durations durations) {
        if (metric.kind() != Metric.Kind.HISTOGRAM) {
            throw new IllegalArgumentException(metric + " is one value");
        }
        // Not a timer of Micrometer, which costs ten times as much a value: these are counted for each message.
        registry.getPrometheusRegistry().register(() -> snapshot(metric, durations));
    }

    private static HistogramSnapshot snapshot(Metric metric, Durations durations) {
        double[] seconds = new double[Durations.boundsMillis().length + 1];
        for (int i = 0; i < seconds.length - 1; i++) {
            seconds[i] = Durations.boundsMillis()[i] / 1_000.0;
        }
        seconds[seconds.length - 1] = Double.POSITIVE_INFINITY;
        return HistogramSnapshot.builder()
                .name(metric.scrapedName())
                .help(metric.help())
                .dataPoint(HistogramSnapshot.HistogramDataPointSnapshot.builder()
                        .classicHistogramBuckets(ClassicHistogramBuckets.of(seconds, durations.counts()))
                        .sum(durations.sumMillis() / 1_000.0)
                        .build())
                .build();
    }

    /** Where libraries register what they count. */
    public MeterRegistry meters() {
        return registry;
    }

    /** Registers limits on how often something may be done. */
    public void register(RateLimiterRegistry limits) {
        TaggedRateLimiterMetrics.ofRateLimiterRegistry(limits).bindTo(registry);
    }

    private void register(Metric metric, Tags tags, DoubleSupplier value) {
        switch (metric.kind()) {
            // A counter holds its object weakly, and a lambda is nobody else's: so the object is the registry.
            case COUNTER ->
                FunctionCounter.builder(metric.dottedName(), this, self -> value.getAsDouble())
                        .description(metric.help())
                        .tags(tags)
                        .register(registry);
            case HISTOGRAM -> throw new IllegalArgumentException(metric + " counts durations, not one value");
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
