// Node-RED as fast as it goes: no editor, no administration, no debug, warnings only.
module.exports = {
    uiHost: "127.0.0.1",
    uiPort: process.env.PORT,
    disableEditor: true,
    httpAdminRoot: false,
    credentialSecret: false,
    diagnostics: { enabled: false, ui: false },
    telemetry: { enabled: false },
    runtimeState: { enabled: false, ui: false },
    logging: { console: { level: "warn", metrics: false, audit: false } },
    functionExternalModules: false,
};
