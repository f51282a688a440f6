// Draws openapi.yaml with Swagger UI; "Try it out" talks to the server that this page came from.
const server = new URL("..", location.href).href.replace(/\/$/, "");

/** The description names one server as an example; here it is this one. */
const thisServer = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (spec) => update({ ...spec, servers: [{ url: server, description: "The server this page came from" }] }),
      },
    },
  },
});

globalThis.SwaggerUIBundle({
  url: `${server}/openapi.yaml`,
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  // Nothing about the API leaves for a public validator, and a token typed here is not kept.
  validatorUrl: null,
  persistAuthorization: false,
  plugins: [thisServer],
});
