// The globals of a browser that the page's modules use when they are loaded. To be imported first.

import { memoryStorage } from './support.js';

process.env.TZ = 'Europe/Berlin';
const globals = {
  navigator: { language: 'en-GB' },
  location: { origin: 'https://chat.test', search: '', hash: '' },
  sessionStorage: memoryStorage(),
};
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, configurable: true });
}
