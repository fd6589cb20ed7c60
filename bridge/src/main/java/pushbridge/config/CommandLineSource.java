package pushbridge.config;

import java.util.ArrayList;
import java.util.List;

/** Reads {@code key=value} arguments; {@code pushbridge.} may be left out. */
final class CommandLineSource {
    private CommandLineSource() {}

    static List<Setting> read(List<String> arguments, KeyNames names, Problems problems) {
        List<Setting> settings = new ArrayList<>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            if (equals < 0) {
                // Not the argument itself: it may be a value without its key, and that may be a secret.
                problems.add("a --set on the command line has no '='; write it like --set amqp.prefetch=100");
                continue;
            }
            String given = argument.substring(0, equals).strip();
            String name = given.startsWith(Key.PREFIX) ? given : Key.PREFIX + given;
            Setting setting = names.setting(name, argument.substring(equals + 1), Origin.COMMAND_LINE);
            if (setting == null) {
                problems.add(KeyNames.shown(name), Origin.COMMAND_LINE, names.unknown(name));
            } else {
                settings.add(setting);
            }
        }
        return settings;
    }
}
