package pushbridge.admin;

/** Answers one kind of request to the listener for operators; see {@link AdminServer#register}. Any thread. */
@FunctionalInterface
public interface AdminHandler {

    /**
     * Answers a request that the guard has let in. Runs on a thread that may wait for RabbitMQ, though not for ever: there
     * are {@value AdminServer#THREADS}, and when the listener stops they are interrupted.
     *
     * @throws AdminException to be answered as it says
     * @throws Exception anything else is a fault of the program: logged, and answered 500 without saying what it is
     */
    AdminAnswer answer(AdminRequest request) throws Exception;
}
