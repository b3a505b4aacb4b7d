/** The model that the specs of this workspace use in place of the product's model. */
export { Parcel } from './parcel.entity.js';
// Every model exports the name `model` for the test servers.
export { sampleModel, sampleModel as model } from './sample-model.js';
