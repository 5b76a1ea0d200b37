/** What the runner and the command of the client leg share: the gateway, and its configuration with the server of a scenario. */
export interface ClientPlace {
  readonly url: string
  readonly configPath: string
  /** What the client shows the gateway. */
  readonly token: string
  /** Everything that is the same for all scenarios. */
  readonly settings: ClientSettings
}

export interface ClientSettings {
  readonly port: number
  /** Who signs people in. */
  readonly issuer: string
  readonly client: { readonly id: string; readonly secret: string }
}

/** Where no server is, between two scenarios. */
export const nowhere = 'http://127.0.0.1:9/mcp'

/** Address of the document about the client that the suite expects. */
const clientDocument = 'https://conformance-test.local/client-metadata.json'

/** How the gateway comes to the server of a scenario of authorization, with what the suite says of it. */
export function authOf(scenario: string, context: Readonly<Record<string, string | undefined>>): object | undefined {
  if (!scenario.startsWith('auth/')) return undefined
  const { client_id: id, client_secret: secret, private_key_pem: key, issuer } = context
  if (scenario.startsWith('auth/client-credentials'))
    return { kind: 'client_credentials', client: { id, ...(key === undefined ? { secret } : { private_key: key }) }, allow_http: true }
  const clients = id === undefined || issuer === undefined ? [] : [{ id, secret, issuer }]
  return { kind: 'user', clients, client_metadata_url: clientDocument, allow_http: true }
}

/** The configuration while the suite plays the server at `url`. */
export function clientConfig(url: string, { port, issuer, client }: ClientSettings, auth?: object): object {
  return {
    listen: { port, public_url: publicUrl(port) },
    identity: {
      issuers: {
        people: { issuer, audiences: ['turnward'], algorithms: ['ES256'], user: 'email', provision: 'auto', allow_http: true, client },
      },
    },
    grants: [{ principals: ['*'], gateways: ['main'], tools: ['*'] }],
    // The servers of all scenarios have one name here, and each has other tools.
    servers: { suite: { transport: 'http', url, pin: 'off', ...(auth === undefined ? {} : { auth }) } },
    gateways: { main: { servers: ['suite'] } },
    contracts: { '*': { output: { trust: 'trusted' } } },
  }
}

/** What browsers reach the gateway under. */
export function publicUrl(port: number): string {
  return `http://127.0.0.1:${port}`
}
