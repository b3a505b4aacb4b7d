/** The model of the house's own specs: what a product's model is to the product. */
export { Parcel } from './parcel.entity.js';
// `model` is the name that every model has for the test servers.
export { sampleModel, sampleModel as model } from './sample-model.js';
