/** How this machine reaches its package registries: what its package managers are told by the environment and the person's home. */
export const registrySettings: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) =>
    value !== undefined &&
    /^(?:HOME$|NPM_CONFIG_|PIP_|UV_|SSL_CERT_|NODE_EXTRA_CA_CERTS$|REQUESTS_CA_BUNDLE$|CURL_CA_BUNDLE$|(?:HTTPS?|NO)_PROXY$)/i.test(name)
      ? [[name, value]]
      : [],
  ),
)
