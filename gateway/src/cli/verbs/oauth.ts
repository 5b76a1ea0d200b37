/** `turnward oauth`: the keys of the authorization server. Works while the gateway runs; every replica knows within seconds. */
import type { Command } from 'commander'
import { loadConfig } from '../../config/load.ts'
import { systemClock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { SigningKeys } from '../../identity/oauth-server/signing-keys.ts'
import { openStore } from '../../store/store.ts'
import { noteAct } from '../noting-act.ts'
import { fail, print } from '../output.ts'
import { openingSettingsOf, storePlaceOf } from '../places.ts'
import { configOption, jsonOption } from '../shared-options.ts'

interface OAuthOptions {
  readonly config: string
  readonly json?: boolean
}

export function addOAuth(program: Command): void {
  program
    .command('oauth')
    .description('keys of the authorization server')
    .command('rotate-keys')
    .description('sign with a new key from now on; tokens signed with earlier ones are good until they end')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward oauth rotate-keys')
    .action(rotateKeys)
}

async function rotateKeys(options: OAuthOptions): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    const { oauth } = snapshot.identity
    if (oauth === undefined)
      throw new TurnwardError('config.invalid', {
        subject: 'identity.oauth',
        why: 'there is no authorization server whose keys could change',
      })
    const store = await openStore(storePlaceOf(openingSettingsOf(snapshot)))
    try {
      const keys = new SigningKeys({ table: store.oauthKeys, secret: store.secret, clock: systemClock })
      await noteAct(store, {
        verb: 'turnward oauth',
        act: 'oauth.rotate_keys',
        subject: 'keys of the authorization server',
        reason: 'Signs with a new key from now on.',
      })
      await keys.rotate(oauth.keys.algorithm)
      const ids = (await keys.current(oauth.keys)).keys.map(({ kid }) => kid)
      print(options, { keys: ids }, `Tokens are signed with ${ids[0]} from now on; good keys: ${ids.join(', ')}.`)
    } finally {
      await store.close()
    }
  } catch (error) {
    fail(options, error)
  }
}
