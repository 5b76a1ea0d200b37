/** What of this machine's environment decides how package registries are reached: proxies, mirrors, authorities. */
export function registryAccess(): Record<string, string> {
  const decides =
    /^(?:https?_proxy|no_proxy|all_proxy|npm_config_(?:registry|cafile|https?_proxy|proxy|noproxy|userconfig)|node_extra_ca_certs|ssl_cert_(?:file|dir)|pip_.*|uv_.*|requests_ca_bundle)$/i
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (decides.test(name) && value !== undefined ? [[name, value]] : [])),
  )
}
