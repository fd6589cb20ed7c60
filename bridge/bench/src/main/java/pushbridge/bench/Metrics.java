package pushbridge.bench;

import java.util.HashMap;
import java.util.Map;

/** One scrape; labels are summed up. */
record Metrics(Map<String, Double> values) {

    static Metrics parse(String scrape) {
        Map<String, Double> values = new HashMap<>();
        for (String line : scrape.lines().toList()) {
            if (!line.startsWith("pushbridge_")) {
                continue;
            }
            int space = line.lastIndexOf(' ');
            int labels = line.indexOf('{');
            String name = line.substring(0, labels < 0 ? space : labels);
            values.merge(name, Double.valueOf(line.substring(space + 1)), Double::sum);
        }
        return new Metrics(values);
    }

    /**
     * The metric without {@code pushbridge_}.
     *
     * @throws BenchException when there is none, as after a change of names
     */
    double get(String name) throws BenchException {
        Double value = values.get("pushbridge_" + name);
        if (value == null) {
            throw new BenchException("the bridge has no metric pushbridge_" + name);
        }
        return value;
    }
}
