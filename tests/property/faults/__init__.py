"""Every fault that plant_faults.py plants, a module for each stage of the way."""

from tests.property.faults import attributes, erasing, journeys, moving, people, saying, telling

FAULTS = (*people.FAULTS, *moving.FAULTS, *telling.FAULTS, *saying.FAULTS, *attributes.FAULTS, *journeys.FAULTS, *erasing.FAULTS)
