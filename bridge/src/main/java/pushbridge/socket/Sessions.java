package pushbridge.socket;

import java.util.List;
import org.jspecify.annotations.Nullable;
import pushbridge.delivery.Confirmation;
import pushbridge.delivery.FrameSink;
import pushbridge.delivery.SessionReports;

/** Where a freshly opened connection is announced: the delivery loop. */
@FunctionalInterface
public interface Sessions {

    /**
     * A client has connected; from now on the sink is offered what is addressed to it, possibly before this returns.
     * Called on a selector thread; must not block.
     *
     * @param id random and unguessable
     * @param user who it is; null for an anonymous client
     * @param channels names of the channels it listens to from the start
     * @param resumes the id of the connection it says it had before; null when it says nothing
     */
    SessionReports open(
            String id,
            @Nullable String user,
            List<String> channels,
            @Nullable String resumes,
            Confirmation confirmation,
            FrameSink sink);
}
