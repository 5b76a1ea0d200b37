/** What the gateway is called by others: for links, cookies and everything of OAuth. What a client says of it is never used. */
import type { Snapshot } from './snapshot.ts'

/** `https://turnward.acme.example`, without a slash at its end: `listen.public_url`, else who we are in tokens of ours, else the address it listens at. */
export function publicUrl({ settings: { listen }, identity }: Pick<Snapshot, 'settings' | 'identity'>): string {
  const { public_url: configured, host, port } = listen
  return configured ?? identity.oauth?.issuer ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
