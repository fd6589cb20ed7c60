package pushbridge.socket;

import pushbridge.delivery.Confirmation;
import pushbridge.delivery.FrameSink;
import pushbridge.delivery.Newcomer;
import pushbridge.delivery.SessionReports;

/** Where a freshly opened connection is announced: the delivery loop. */
@FunctionalInterface
public interface Sessions {

    /**
     * A client has connected; from now on the sink is offered what is addressed to it, possibly before this returns.
     * Called on a selector thread; must not block.
     *
     * @param confirmation what tells that it has a message
     */
    SessionReports open(Newcomer client, Confirmation confirmation, FrameSink sink);
}
