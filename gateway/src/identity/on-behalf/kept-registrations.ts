/** What authorization servers gave out when the gateway registered there, kept in the vault: it belongs to the installation. */
import type { RegistrationStore } from '../server-auth/client-registration.ts'
import type { SecretPlace } from '../../store/sealed-secrets.ts'
import type { SecretVault } from './secret-vault.ts'

export function registrationStore(vault: Pick<SecretVault, 'get' | 'put' | 'remove'>): RegistrationStore {
  const placeOf = (key: string): SecretPlace => ({ kind: 'registration', owner: '', name: key })
  return {
    get: async (key) => (await vault.get(placeOf(key)))?.content,
    put: async (key, content) => {
      await vault.put(placeOf(key), content)
    },
    remove: async (key) => {
      await vault.remove(placeOf(key))
    },
  }
}
