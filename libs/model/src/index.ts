export { model } from './model.js';
