package pushbridge;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What may know what. The reasons are in ARCHITECTURE.md. */
@AnalyzeClasses(packages = "pushbridge", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {

    private static final String[] CORE = {
        "pushbridge.delivery..",
        "pushbridge.envelope..",
        "pushbridge.hold..",
        "pushbridge.letters..",
        "pushbridge.outbox.."
    };

    @ArchTest
    static final ArchRule theCoreKnowsNeitherBrokerNorSocketsNorHttp = noClasses()
            .that()
            .resideInAnyPackage(CORE)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "com.rabbitmq..",
                    "org.glassfish..",
                    "jakarta.websocket..",
                    "java.net.http..",
                    "io.github.resilience4j..",
                    "io.micrometer..");

    @ArchTest
    static final ArchRule theCoreKnowsNoOtherPackageOfOursButItsConfiguration = noClasses()
            .that()
            .resideInAnyPackage(CORE)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "pushbridge.amqp..",
                    "pushbridge.socket..",
                    "pushbridge.admin..",
                    "pushbridge.dev..",
                    "pushbridge.client..",
                    "pushbridge.metrics..",
                    "pushbridge.tls..",
                    "pushbridge.log..",
                    "pushbridge.cli..",
                    "pushbridge.app..");

    @ArchTest
    static final ArchRule onlyTheIntakeKnowsRabbitMq = noClasses()
            .that()
            .resideOutsideOfPackage("pushbridge.amqp..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("com.rabbitmq..");

    @ArchTest
    static final ArchRule onlyTheSocketPackageKnowsTyrus = noClasses()
            .that()
            .resideOutsideOfPackage("pushbridge.socket..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.glassfish.tyrus..", "jakarta.websocket..");

    @ArchTest
    static final ArchRule onlyTheListenersKnowGrizzly = noClasses()
            .that()
            .resideOutsideOfPackages(
                    "pushbridge.socket..",
                    "pushbridge.admin..",
                    "pushbridge.dev..",
                    "pushbridge.client..",
                    "pushbridge.tls..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.glassfish.grizzly..");

    /** So that the decision who comes in can be read, and tested, without a socket. */
    @ArchTest
    static final ArchRule tokensKnowNeitherBrokerNorSockets = noClasses()
            .that()
            .resideInAPackage("pushbridge.auth..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "com.rabbitmq..",
                    "org.glassfish..",
                    "jakarta.websocket..",
                    "pushbridge.amqp..",
                    "pushbridge.socket..",
                    "pushbridge.admin..",
                    "pushbridge.delivery..");

    /** Grizzly only where a connection is, which is one class. */
    @ArchTest
    static final ArchRule certificatesKnowNothingButTheirConfiguration = noClasses()
            .that()
            .resideInAPackage("pushbridge.tls..")
            .should()
            .dependOnClassesThat(resideInAPackage("pushbridge..")
                    .and(not(resideInAnyPackage("pushbridge.tls..", "pushbridge.config.."))));

    @ArchTest
    static final ArchRule tlsKnowsNeitherBrokerNorWebSockets = noClasses()
            .that()
            .resideInAPackage("pushbridge.tls..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("com.rabbitmq..", "org.glassfish.tyrus..", "jakarta.websocket..");

    @ArchTest
    static final ArchRule onlyTheFilterKnowsGrizzlyInTls = noClasses()
            .that()
            .resideInAPackage("pushbridge.tls..")
            .and()
            .haveNameNotMatching("pushbridge\\.tls\\.TlsFilter(\\$.*)?")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.glassfish.grizzly..");

    @ArchTest
    static final ArchRule theLogKnowsNothingButWhatSecretsLookLike = noClasses()
            .that()
            .resideInAPackage("pushbridge.log..")
            .should()
            .dependOnClassesThat(resideInAPackage("pushbridge..")
                    .and(not(resideInAnyPackage("pushbridge.log..", "pushbridge.config.."))));

    @ArchTest
    static final ArchRule timingKnowsNothingElse = noClasses()
            .that()
            .resideInAPackage("pushbridge.timing..")
            .should()
            .dependOnClassesThat(resideInAPackage("pushbridge..").and(not(resideInAnyPackage("pushbridge.timing.."))));

    @ArchTest
    static final ArchRule onlyTheWiringSeesEverything = noClasses()
            .that()
            .resideOutsideOfPackages("pushbridge.app..", "pushbridge")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("pushbridge.app..");

    @ArchTest
    static final ArchRule thereAreNoCycles =
            slices().matching("pushbridge.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule nobodyNamesAPackageUtil =
            classes().should().resideOutsideOfPackages("..util..", "..utils..", "..common..");
}
