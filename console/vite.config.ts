import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Built into the folder the gateway serves from. Nothing inline, so that the gateway's content security policy allows none. */
export default defineConfig({
  base: '/console/',
  plugins: [react()],
  build: { outDir: '../gateway/console', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
})
