package pushbridge.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;

/** What Linux tells of a process; 0 when there is no such process (a broker in a container). */
final class ProcessFigures {

    /** Of {@code /proc}: USER_HZ is 100 on every Linux that Java runs on. */
    private static final double TICKS_PER_SECOND = 100;

    private ProcessFigures() {}

    /** Processor time used up so far, in seconds, of all its threads, in user and kernel. */
    static double cpuSeconds(long pid) throws BenchException {
        if (pid == 0) {
            return 0;
        }
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            // The second field is the name in parentheses, and may contain anything.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
        } catch (IOException e) {
            throw new BenchException("process " + pid + " is gone", e);
        }
    }

    /** The same of several processes together. */
    static double cpuSeconds(Collection<Long> pids) throws BenchException {
        double sum = 0;
        for (long pid : pids) {
            sum += cpuSeconds(pid);
        }
        return sum;
    }

    /** Resident memory in MiB. */
    static double rssMib(long pid) throws BenchException {
        if (pid == 0) {
            return 0;
        }
        try {
            List<String> lines = Files.readAllLines(Path.of("/proc/" + pid + "/status"));
            for (String line : lines) {
                if (line.startsWith("VmRSS:")) {
                    return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024.0;
                }
            }
            return 0;
        } catch (IOException e) {
            throw new BenchException("process " + pid + " is gone", e);
        }
    }
}
