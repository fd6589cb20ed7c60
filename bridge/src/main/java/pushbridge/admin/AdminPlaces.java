package pushbridge.admin;

import java.util.concurrent.atomic.AtomicInteger;
import org.glassfish.grizzly.Grizzly;
import org.glassfish.grizzly.attributes.Attribute;
import org.glassfish.grizzly.filterchain.BaseFilter;
import org.glassfish.grizzly.filterchain.FilterChainContext;
import org.glassfish.grizzly.filterchain.NextAction;

/** Bounds the connections to the listener for operators, whoever opens them; one more is ended without an answer. */
final class AdminPlaces extends BaseFilter {

    private static final Attribute<Boolean> COUNTED =
            Grizzly.DEFAULT_ATTRIBUTE_BUILDER.createAttribute(AdminPlaces.class.getName());

    private final AtomicInteger taken = new AtomicInteger();
    private final int most;

    AdminPlaces(int most) {
        this.most = most;
    }

    @Override
    public NextAction handleAccept(FilterChainContext ctx) {
        if (taken.incrementAndGet() > most) {
            taken.decrementAndGet();
            ctx.getConnection().terminateSilently();
        } else {
            COUNTED.set(ctx.getConnection(), true);
        }
        return ctx.getInvokeAction();
    }

    @Override
    public NextAction handleClose(FilterChainContext ctx) {
        if (COUNTED.remove(ctx.getConnection()) != null) {
            taken.decrementAndGet();
        }
        return ctx.getInvokeAction();
    }
}
