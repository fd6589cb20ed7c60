package pushbridge.config;

import java.nio.file.Path;
import java.util.List;

/**
 * Where secrets of a configuration stand.
 *
 * @param files files that hold one: the configuration itself, files that a key names, private keys
 * @param onCommandLine keys whose value stands on the command line, where every user of the machine can read it
 */
public record SecretPlaces(List<Path> files, List<String> onCommandLine) {
    public SecretPlaces {
        files = List.copyOf(files);
        onCommandLine = List.copyOf(onCommandLine);
    }
}
